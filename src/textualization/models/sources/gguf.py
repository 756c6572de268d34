"""Models as one GGUF file, with quantised weights: transformers gives the tensors back in float32.

It needs the packages gguf and accelerate, which nothing else here needs. They are imported on use.
"""

import io
import json
from contextlib import redirect_stderr
from importlib.util import find_spec
from pathlib import Path

from textualization.errors import ModelFileError
from textualization.models.quiet import quiet

#: How the name of such a file ends.
GGUF = ".gguf"
#: What transformers needs to read one.
PACKAGES = ("gguf", "accelerate")


def convert_gguf(path: Path, into: Path) -> None:
    """Write the weights (float32), the configuration and the tokenizer of a GGUF file.

    Args:
        path: the file.
        into: the folder of `model.safetensors`, `config.json` and `tokenizer.json`.

    Raises:
        ModelFileError: a package is not installed, or transformers cannot read the file.
    """
    if lacks := [name for name in PACKAGES if find_spec(name) is None]:
        raise ModelFileError(
            path.name,
            f"is read with {' and '.join(lacks)}, which this Python lacks "
            f"(pip install {' '.join(lacks)}; or make gguf)",
        )
    import torch
    from safetensors.torch import save_file
    from transformers import AutoModelForCausalLM, AutoTokenizer

    of = {"pretrained_model_name_or_path": str(path.parent), "gguf_file": path.name}
    try:
        with quiet(), redirect_stderr(io.StringIO()):  # the bar is tqdm's own
            tokenizer = AutoTokenizer.from_pretrained(**of)
            model = AutoModelForCausalLM.from_pretrained(**of, dtype=torch.float32)
    except Exception as error:  # many types; all mean a file that is broken or of another kind
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ModelFileError(path.name, f"cannot be read by transformers: {reason}") from None
    # Not save_pretrained, which refuses a model that was quantised. Of tied tensors one is kept.
    tensors = {}
    for name, tensor in model.state_dict().items():
        tensors.setdefault(tensor.data_ptr(), (name, tensor))
    save_file(dict(tensors.values()), into / "model.safetensors", metadata={"format": "pt"})
    config = model.config.to_dict()
    del config["quantization_config"]
    (into / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    tokenizer.backend_tokenizer.save(str(into / "tokenizer.json"))
