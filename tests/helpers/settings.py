"""The shipped settings, changed as a test needs them, and wrong ones with what is to be said of each."""

import yaml

from paths import ROOT
from study.config.schema_faults import read_schema
from study.config.settings import SettingsError, check_settings

SCHEMA = read_schema(ROOT / "config/config.schema.yaml")
GONE = object()


def shipped(name="config.yaml"):
    settings = yaml.safe_load((ROOT / "config" / name).read_text(encoding="utf-8"))
    if name == "config.yaml":
        models = (ROOT / "src/textualization/models/catalogue.yaml").read_text(encoding="utf-8")
        settings = merged(yaml.safe_load(models), settings)
    return settings


def merged(settings, changes):
    """As --configfile does it: keys of mappings are merged, everything else is replaced."""
    for key, value in changes.items():
        if isinstance(value, dict):
            settings[key] = merged(settings.get(key, {}), value)
        else:
            settings[key] = value
    return settings


def changed(*changes):
    """The shipped settings with some `(dotted key, value)` set, or taken away."""
    settings = shipped()
    for key, value in changes:
        *path, last = key.split(".")
        place = settings
        for part in path:
            place = place[part]
        if value is GONE:
            del place[last]
        else:
            place[last] = value
    return settings


def complaints(settings):
    try:
        check_settings(settings, SCHEMA)
    except SettingsError as error:
        return str(error).splitlines()
    return []


COUNT = "a whole number from 1 to 1000000"
SITES = "a list of output, intermediate"
SHA = "64 hexadecimal digits in lower case, in quotes"
# (the setting, its value as a file would have it, the key that the line begins with if it is
# another, what the line must say).
WRONG = [
    ("study", "Default Study", "", "lower-case letters, digits, - and _"),
    ("study", "../elsewhere", "", "a folder's name"),
    ("study", "2023", "", "a folder's name"),
    ("study", "null", "", "None is not valid"),
    ("study", "|\n  verbs\n", "", "a folder's name"),
    ("study", "a" * 61, "", "of 60 at most"),
    ("study", "benchmarks", "", "and not benchmarks"),
    ("seed", "4294967296", "", "to 4294967295"),
    (
        "experiments.selection.vary",
        "{2: {}}",
        "",
        "2 is not a name (allowed: text; put it in quotes)",
    ),
    ("ascent.rate", "1.0e+30", "", "a number above 0, to 1e9"),
    ("ascent.init.scale", "1.0e+300", "", "a number from 1e-9 to 1e9, or words"),
    ("ascent.groups.per_job", "1000001", "", COUNT),
    ("ascent.twins.singles", "-1", "", "a whole number from 0 to 1000000"),
    ("ascent.twins.groups", "all", "", "a whole number from 0 to 1000000"),
    ("statistics.removed_directions", "384", "", "384 leaves nothing of the 384 dimensions"),
    ("statistics.leading_directions", "100000", "", "leaves nothing of the 384 dimensions"),
    ("seed", "-1", "", "a whole number from 0"),
    ("seed", "'3'", "", "'3' is text (allowed: a whole number from 0 to 4294967295)"),
    ("seed", "true", "", "a whole number from 0"),
    ("seed", "1.5", "", "a whole number from 0"),
    ("seed", "7.0", "", "a whole number from 0"),
    ("seed", "null", "", "a whole number from 0"),
    ("models", "[]", "", "is empty (allowed: a list of different names"),
    ("models", "minilm-l6", "", "a list of different names from the catalogue"),
    ("models", "[minilm-l6, minilm-l6]", "", "has an entry twice (allowed: a list of different"),
    ("models", "[minilm-l12]", "", "did you mean 'minilm-l6'?"),
    ("models", "[gpt]", "", "is not in the catalogue; did you mean 'gpt2'?"),
    ("models", "[zzz]", "", "(known: minilm-l6, mpnet-base, "),
    ("catalogue.mpnet-base.pieces", "[]", "", "a list of packages, each with version and sha256"),
    ("catalogue.smollm2-135m.gguf", "../x.gguf", "", "the name of a file that ends in .gguf"),
    ("catalogue.smollm2-135m.precision", "4", "", "words, such as 4-bit weights"),
    ("catalogue.minilm-l6.license", "''", "", "a licence's name"),
    ("models", "[3]", "models.0", "is not of type 'string'"),
    ("catalogue", "null", "", "models by name"),
    ("catalogue.minilm-l6", "null", "", "the keys source, family, layers"),
    ("catalogue.minilm-l6.sha256", "53aa5117", "", SHA),
    ("catalogue.minilm-l6.sha256", "1234", "", SHA),
    ("catalogue.minilm-l6.sha256", "A" * 64, "", SHA),
    ("catalogue.bert-base-uncased.sha256", "g" * 64, "", SHA),
    ("catalogue.minilm-l6.source", "pyp", "", "did you mean 'pypi'?"),
    ("catalogue.minilm-l6.source", "ftp", "", "one of pypi, hub, path)"),
    ("catalogue.minilm-l6.version", "1.0", "", "an exact version, in quotes"),
    ("catalogue.minilm-l6.layers", "six", "", "is text (allowed: a whole number from 1 to 1000)"),
    ("catalogue.minilm-l6.layers", "999999999", "", "a whole number from 1 to 1000"),
    ("catalogue.minilm-l6.package", "x @ file:///tmp/x#", "", "a package's name on PyPI"),
    ("catalogue.minilm-l6.package", "--help", "", "a package's name on PyPI"),
    ("catalogue.minilm-l6.version", "'1 --pre'", "", "an exact version"),
    ("catalogue.minilm-l6.sha256", f'"{"a" * 64}\\n"', "", SHA),
    ("catalogue.bert-base-uncased.repository", "../x/y", "", "owner/name on the hub"),
    ("catalogue.minilm-l6.path", "folder", "catalogue.minilm-l6", "unknown key 'path' (known: "),
    ("catalogue.minilm-l6.sha265", "a", "catalogue.minilm-l6", "did you mean 'sha256'?"),
    ("catalogue.bert-base-uncased.revision", "main", "", "a commit of 40 hexadecimal digits"),
    ("catalogue.bert-base-uncased.words", "0", "", COUNT),
    ("words", "config/words.tsv", "", "the keys targets, contexts, candidates"),
    ("words.targets", "null", "", "a tab-separated table"),
    ("words.candidates", "whole_word", "", "did you mean 'whole_words'?"),
    ("words.target", "x", "words", "unknown key 'target'; did you mean 'targets'?"),
    ("read", "token", "", "one of word, cls, sep)"),
    ("read", "words", "", "did you mean 'word'?"),
    ("read", "null", "", "one of word, cls, sep"),
    ("context", "the cat sat", "", "a sentence with one {} in the place of a word, or null"),
    ("context", "'{} saw {}'", "", "a sentence with one {} in the place of a word, or null"),
    ("context", "'{x} sat'", "", "a sentence with one {} in the place of a word, or null"),
    ("context", "3", "", "a sentence with one {} in the place of a word, or null"),
    ("seek", "min", "", "one of maximum, minimum; did you mean 'minimum'?)"),
    ("seek", "-1", "", "one of maximum, minimum)"),
    ("corpus", "[a.txt]", "", "default, the path of a text file"),
    ("corpus", "''", "", "default, the path of a text file"),
    ("corpus", "'{x}.txt'", "", "without { and } in its name, or null"),
    ("corpus", "true", "", "default, the path of a text file"),
    ("texts", "[4]", "", "the keys tokens, whole_words, steps, candidates"),
    ("texts.tokens", "4", "", "a list of different whole numbers from 1 to 8"),
    ("texts.tokens", "[9]", "texts.tokens.0", "a whole number from 1 to 8"),
    ("texts.tokens", "[4, 4]", "", "has an entry twice (allowed: a list of different"),
    ("texts.candidates", "0", "", COUNT),
    ("texts.sweeps", "-1", "", "a whole number from 0 to 1000000"),
    ("texts.whole_words", "yes please", "", "true or false"),
    ("texts.lengths", "[4]", "texts", "unknown key 'lengths' (known: tokens, "),
    ("nulls.sentences", "0", "", COUNT),
    ("statistics.best_sentences", "0", "", COUNT),
    ("statistics.held_out_sentences", "0", "", COUNT),
    ("activations.sites", "[]", "", f"is empty (allowed: {SITES})"),
    ("activations.sites", "output", "", SITES),
    ("activations.sites", "[output, output]", "", f"has an entry twice (allowed: {SITES})"),
    ("activations.sites", "[outputs]", "activations.sites.0", "did you mean 'output'?"),
    ("activations.words_per_pass", "0", "", COUNT),
    ("activations.threads", "true", "", COUNT),
    ("statistics.nearest_words", "ten", "", COUNT),
    ("statistics.nearest_word", "5", "statistics", "did you mean 'nearest_words'?"),
    ("singles.sites", "[intermediate]", "", "'intermediate' is not among activations.sites"),
    ("singles.layers", "al", "", "all, or a list of different layers from 1"),
    ("singles.layers", "6", "", "all, or a list of different layers from 1"),
    ("singles.layers", "[]", "", "is empty (allowed: all, or a list of different layers from 1)"),
    ("singles.layers", "[2, 2]", "", "has an entry twice (allowed: all, or a list of different"),
    ("singles.layers", "[0]", "singles.layers.0", COUNT),
    ("singles.layers", "[1, '2']", "singles.layers.1", f"'2' is text (allowed: {COUNT})"),
    ("singles.layers", "[1, 7]", "", "7 is not a layer of minilm-l6 (allowed: 1 to 6)"),
    ("singles.neurons", "0", "", "all, or a whole number from 1"),
    ("singles.neurons", "every", "", "all, or a whole number from 1"),
    ("singles.neurons", "32.0", "", "all, or a whole number from 1"),
    ("singles.neurons", "true", "", "all, or a whole number from 1"),
    ("ascent.groups.repeated", "0", "", "all, or a whole number from 1"),
    ("nulls.models", "[shuffled]", "nulls.models.0", "one of permuted, permuted_keep_embeddings"),
    ("nulls.models", "[permuted, permuted]", "", "has an entry twice"),
    ("nulls.objectives", "[random_groups]", "nulls.objectives.0", "did you mean 'random_group'?"),
    ("nulls.inputs", "start", "", "a list of start, random_word"),
    ("nulls.replicates", "0", "", "a whole number from 1"),
    ("nulls.words", "most", "", "all, or a whole number from 1"),
    ("nulls.groups.word", "3", "nulls.groups", "unknown key 'word'; did you mean 'words'?"),
    ("statistics.permutations", "10", "", "a whole number from 100"),
    ("singles.neurons", "385", "", "385 is more than the 384 output neurons per layer"),
    ("groups.sites", "[output, intermediate]", "", "'intermediate' is not among activations.sites"),
    (
        "groups.selections",
        "[]",
        "",
        "is empty (allowed: a list of absolute, ratio_to_max, z_score)",
    ),
    ("groups.selections", "[zscore]", "groups.selections.0", "did you mean 'z_score'?"),
    ("groups.sizes", "[10, 20]", "", "the keys model, layer"),
    ("groups.sizes.model", "[]", "", "not empty"),
    ("groups.sizes.model", "[10, 10]", "", "has an entry twice (allowed: a list of different"),
    ("groups.sizes.model", "[10.0]", "groups.sizes.model.0", "or a share of the neurons below 1"),
    ("groups.sizes.model", "[0]", "groups.sizes.model.0", "a whole number from 1, or a share"),
    ("groups.sizes.layer", "[0.0]", "groups.sizes.layer.0", "a whole number from 1, or a share"),
    ("groups.sizes.model", "[10, 2305]", "", "2305 is more than the 2304 neurons"),
    ("groups.sizes.layer", "[385]", "", "385 is more than the 384 neurons"),
    ("groups.sizes.layer", "null", "", "a list of different whole numbers from 1"),
    ("groups.sizes.block", "[5]", "groups.sizes", "unknown key 'block' (known: model, layer)"),
    ("ascent.rate", "0", "", "a number above 0"),
    ("ascent.rate", "1e3", "", "'1e3' is text (allowed: a number above 0, to 1e9)"),
    ("ascent.rate", ".inf", "", "a number above 0"),
    ("ascent.rate", ".nan", "", "a number above 0"),
    ("ascent.rate", "true", "", "a number above 0"),
    ("ascent.init.scale", "word", "", "a number from 1e-9 to 1e9, or words"),
    ("ascent.init", "normal", "", "the keys kind, scale"),
    ("ascent.init.kind", "gaussian", "", "one of normal, uniform)"),
    ("ascent.init.scale", "-1.0", "", "a number from 1e-9 to 1e9, or words"),
    ("ascent.singles.steps", "1.0e+3", "", f"1000.0 is not valid (allowed: {COUNT})"),
    ("ascent.groups.steps", "5e3", "", f"'5e3' is text (allowed: {COUNT})"),
    ("ascent.groups.restarts", "false", "", COUNT),
    ("ascent.singles.step", "5", "ascent.singles", "unknown key 'step'; did you mean 'steps'?"),
    (
        "ascent.singles.1",
        "5",
        "ascent.singles",
        "unknown key '1' (known: steps, restarts, repeated, per_job)",
    ),
    ("ascent.recorded", "1", "", "a whole number from 2"),
    ("ascent.recorded", "40.5", "", "a whole number from 2"),
    ("ascent.entries", "0", "", COUNT),
    ("ascent.solver", "lbgfs", "", "did you mean 'lbfgs'?"),
    ("ascent.solver", "newton", "", "one of paper, lbfgs, sphere)"),
    ("ascent.lbfgs", "30", "", "the keys angle, memory, power"),
    ("ascent.lbfgs.angle", "0", "", "a number above 0, in radians"),
    ("ascent.lbfgs.memory", "0", "", COUNT),
    ("ascent.lbfgs.memory", "2.5", "", COUNT),
    ("ascent.lbfgs.power", "1.5", "", "a number from 0 to 1"),
    ("ascent.lbfgs.momentum", "0.9", "ascent.lbfgs", "unknown key 'momentum' (known: angle, "),
    ("ascent.stop", "0.01", "", "the keys tolerance, window"),
    ("ascent.stop.tolerance", "-0.1", "", "a number from 0, below 1"),
    ("ascent.stop.tolerance", "1", "", "a number from 0, below 1"),
    ("ascent.stop.tolerance", "3e-4", "", "is text (allowed: a number from 0, below 1)"),
    ("ascent.stop.window", "0", "", COUNT),
    ("ascent.dtype", "float16", "", "one of float32, float64"),
    ("ascent.precision", "float32", "ascent", "unknown key 'precision'"),
    ("ascent.snapshot_seconds", "-1", "", "a number of seconds"),
    ("ascent.snapshot_seconds", "5 min", "", "is text (allowed: a number of seconds)"),
    ("ascent.device", "gpu", "", "one of auto, cpu, cuda"),
    (
        "ascent.steps",
        "5",
        "ascent",
        "'steps'; did you mean 'ascent.singles.steps' or 'ascent.groups.steps'?",
    ),
    (
        "ascent.stpes",
        "10",
        "ascent",
        "'stpes'; did you mean 'ascent.singles.steps' or 'ascent.groups.steps'?",
    ),
    ("ascent.stpo", "{}", "ascent", "did you mean 'stop'?"),
    ("ascent.tolerence", "0", "ascent", "did you mean 'ascent.stop.tolerance'?"),
    ("solvr", "lbfgs", "config", "did you mean 'ascent.solver'?"),
    ("nulls.word", "3", "nulls", "did you mean 'words'?"),
    ("statistics.confidence", "95", "", "a number between 0 and 1"),
    ("statistics.confidence", "1", "", "a number between 0 and 1"),
    ("statistics.confidence", "95%", "", "'95%' is text (allowed: a number between 0 and 1)"),
    ("statistics.resamples", "10", "", "a whole number from 100"),
    ("statistics.thresholds", "[]", "", "is empty (allowed: a list of different rates"),
    ("statistics.thresholds", "[0.5, 0.50]", "", "has an entry twice"),
    ("statistics.thresholds", "[67]", "statistics.thresholds.0", "maximum of 1"),
    ("statistics.convergence.last", "0", "", "a number between 0 and 1"),
    (
        "statistics.convergence.tolerence",
        "1",
        "statistics.convergence",
        "did you mean 'tolerance'?",
    ),
    ("statistics.leading_directions", "-5", "", COUNT),
    ("modles", "[minilm-l6]", "config", "unknown key 'modles'; did you mean 'models'?"),
]
