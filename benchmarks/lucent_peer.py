"""Lucent's own optimisation loop on the study's task: one JSON line, for one layer's neurons.

Run with PYTHONPATH=src in an environment of its own (torch-lucent, transformers, safetensors).
Lucent ascends on images, so x is one of V channels and a single pixel, unscaled and unwarped; its
render_vis runs as released.
"""

import argparse
import importlib.metadata
import json
import time
import warnings

import torch

try:
    import torchvision  # noqa: F401
except RuntimeError as error:
    # PyPI's torchvision is built for CUDA; beside a CPU-only torch its operators, of which nothing
    # here uses any, do not load, and their absence alone stops the import.
    if "torchvision::nms does not exist" not in str(error):
        raise
    for name in ("nms", "qnms"):
        signature = "(Tensor boxes, Tensor scores, float threshold) -> Tensor"
        torch.library.define(f"torchvision::{name}", signature)

from lucent.optvis import objectives, render  # noqa: E402

from peers import ATTENTION, from_frozen  # noqa: E402
from textualization.ascent.starts import draw_starts  # noqa: E402


class FromImage(torch.nn.Module):
    """A BERT that reads x from an image (n, V, 1, 1), as `[CLS] xE [SEP]`."""

    def __init__(self, bert, frame):
        super().__init__()
        self.bert = bert
        words = bert.embeddings.word_embeddings.weight
        self._words, self._frame = words, [words[token] for token in frame]

    def forward(self, image):
        x = image[:, :, 0, 0]
        cls, sep = (token.expand(len(x), -1) for token in self._frame)
        return self.bert(inputs_embeds=torch.stack([cls, x @ self._words, sep], dim=1))


def ascend(model, layer: int, indices, x, steps: int, rate: float):
    """Lucent's render_vis on the sum of some neurons, each on its own row of x. Returns x after it."""
    image = x.clone()[:, :, None, None].requires_grad_()
    rows, columns = torch.arange(len(indices)), torch.tensor(indices)

    @objectives.wrap_objective()
    def neurons(name):
        # What lucent calls an objective is to be minimised.
        return lambda states: -states(name)[rows, 1, columns].sum()

    render.render_vis(
        model,
        neurons(f"bert_encoder_layer_{layer - 1}"),
        param_f=lambda: ([image], lambda: image),
        optimizer=lambda parameters: torch.optim.SGD(parameters, lr=rate),
        transforms=[],
        thresholds=(steps,),
        verbose=False,
        preprocess=False,
        progress=False,
        show_image=False,
        # 0: else it upsamples what is smaller than 224 pixels.
        fixed_image_size=0,
    )
    # render_vis leaves its hooks behind, and would be slower every time.
    for module in model.modules():
        module._forward_hooks.clear()
    return image.detach()


def main(weights, layer, neurons, steps, threads, rate, seed, frame, together):
    torch.set_num_threads(threads)
    # render_vis takes an error of the model for an image too small, and goes on.
    warnings.filterwarnings("error", message="Some layers could not be computed")
    model = FromImage(from_frozen(weights), frame).eval()
    names = [("benchmark", layer, index) for index in neurons]
    words = model.bert.config.vocab_size
    x0 = torch.from_numpy(draw_starts(seed, names, words, "normal", 1.0)).float()
    groups = [list(range(len(neurons)))] if together else [[row] for row in range(len(neurons))]
    took, activations = 0.0, []
    for group in groups:
        indices = [neurons[row] for row in group]
        ends = []
        # The difference of a long and a short run: what starting costs falls out.
        for sign, count in ((-1, 1), (1, 1 + steps)):
            began = time.perf_counter()
            ends.append(ascend(model, layer, indices, x0[group], count, rate))
            took += sign * (time.perf_counter() - began)
        # hidden_states of transformers would need the hooks that were cleared.
        kept = []
        hook = model.bert.encoder.layer[layer - 1].register_forward_hook(
            lambda module, inputs, output, kept=kept: kept.append(output)
        )
        with torch.no_grad():
            model(ends[-1])
        hook.remove()
        activations += kept[0][torch.arange(len(group)), 1, torch.tensor(indices)].tolist()
    report = {
        "ms_per_neuron_step": 1e3 * took / steps / len(neurons),
        "activations": activations,
        "layer": layer,
        "neurons": list(neurons),
        "steps": 1 + steps,
        "batch": len(groups[0]),
        "threads": threads,
        "attention": ATTENTION,
        "versions": {
            name: importlib.metadata.version(name)
            for name in ("torch-lucent", "torch", "torchvision", "kornia", "transformers")
        },
    }
    print(json.dumps(report))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("weights", help="frozen.safetensors of a BERT")
    parser.add_argument("--layer", type=int, required=True, help="from 1")
    parser.add_argument("--neurons", type=int, nargs="+", required=True, help="indices")
    parser.add_argument("--steps", type=int, default=20, help="timed, after a first one")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--rate", type=float, default=1001.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--frame", type=int, nargs=2, default=(101, 102))
    parser.add_argument("--together", action="store_true", help="all neurons in one batch")
    main(**vars(parser.parse_args()))
