"""CUDA graphs of evaluations, since a GPU runs small kernels faster than Python launches them."""

import logging

import torch

from textualization.ascent.objectives import Objectives
from textualization.models.transformer import FrozenTransformer

#: Number of evaluations before a capture, which costs as much as several of them.
CALLS = 12


class Evaluation:
    """Values and gradients of fixed objectives at successive batches of inputs.

    On a GPU, an evaluation is captured as a CUDA graph after the first few and replayed from then
    on. The kernels are the same, so the results are bit-identical. If capture fails, kernels are
    launched one by one, as on a CPU, and the log says so.
    """

    def __init__(self, objectives: Objectives, model: FrozenTransformer):
        self._objectives, self._model = objectives, model
        self._left = CALLS if torch.device(model.device).type == "cuda" else -1
        self._graph = None

    @property
    def recorded(self) -> bool:
        """Whether a CUDA graph is in use."""
        return self._graph is not None

    def __call__(self, inputs: torch.Tensor):
        """Return the objectives at inputs (n, H), and their gradients: (n,) and (n, H)."""
        if self._left == 0:
            self._capture(inputs)
        self._left -= 1
        if not self.recorded:
            return self._objectives.value_and_gradient(self._model, inputs)
        self._inputs.copy_(inputs)
        self._graph.replay()
        # Copies: the next replay overwrites both.
        return self._value.clone(), self._gradient.clone()

    def _capture(self, inputs: torch.Tensor) -> None:
        """Capture the evaluation as a CUDA graph."""
        graph, self._inputs = torch.cuda.CUDAGraph(), inputs.detach().clone()
        stream = torch.cuda.current_stream()
        try:
            with torch.cuda.graph(graph):
                results = self._objectives.value_and_gradient(self._model, self._inputs)
        except RuntimeError as error:
            logging.info(
                "no CUDA graph, kernels are launched one by one: %s", str(error).splitlines()[0]
            )
            torch.cuda.set_stream(stream)  # a failed capture does not restore it
            torch.cuda.synchronize()
            return
        (self._value, self._gradient), self._graph = results, graph
