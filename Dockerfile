# The study and all that it needs, at the pins of requirements.txt: docs/cluster.md, "Containers".
FROM python:3.11.13-slim-bookworm

WORKDIR /study
COPY requirements.txt ./
RUN python -m pip install --no-cache-dir --disable-pip-version-check -r requirements.txt
COPY Snakefile CITATION.cff LICENSE README.md ./
COPY config config
COPY envs envs
COPY profiles profiles
COPY report report
COPY resources resources
COPY rules rules
COPY scripts scripts
COPY src src

# The code is the image's; these two folders are the user's.
RUN mkdir -m 777 results .snakemake
# Whoever runs it need not have a home here.
ENV HOME=/tmp
ENTRYPOINT ["snakemake"]
CMD ["--cores", "all"]
