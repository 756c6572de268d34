"""An evaluation as one launch: small kernels take a GPU less time to run than Python to start."""

import logging

import torch

from textualization.objectives import Objectives
from textualization.transformer import FrozenTransformer

#: Evaluations before one is recorded: recording takes as long as some of them, and fewer need none.
CALLS = 12


class Evaluation:
    """Value and gradient of the same objectives, at one batch of inputs after another.

    On a GPU the kernels of one evaluation are recorded, after a few, as a CUDA graph, and all started
    at once from then on: the same kernels, so the same bits. Where that fails they are started one by
    one, as on a CPU, and the log says so.
    """

    def __init__(self, objectives: Objectives, model: FrozenTransformer):
        self._objectives, self._model = objectives, model
        self._left = CALLS if torch.device(model.device).type == "cuda" else -1
        self._graph = None

    @property
    def recorded(self) -> bool:
        return self._graph is not None

    def __call__(self, inputs: torch.Tensor):
        """The objectives at inputs (n, H), and their gradients: (n,) and (n, H)."""
        if self._left == 0:
            self._record(inputs)
        self._left -= 1
        if not self.recorded:
            return self._objectives.value_and_gradient(self._model, inputs)
        self._inputs.copy_(inputs)
        self._graph.replay()
        # The next replay writes where these are.
        return self._value.clone(), self._gradient.clone()

    def _record(self, inputs: torch.Tensor) -> None:
        graph, self._inputs = torch.cuda.CUDAGraph(), inputs.detach().clone()
        stream = torch.cuda.current_stream()
        try:
            with torch.cuda.graph(graph):
                seen = self._objectives.value_and_gradient(self._model, self._inputs)
        except RuntimeError as error:
            logging.info("kernels are started one by one: %s", str(error).splitlines()[0])
            torch.cuda.set_stream(stream)  # which a recording that broke off does not give back
            torch.cuda.synchronize()
            return
        (self._value, self._gradient), self._graph = seen, graph
