"""Independent references: what transformers computes, the paper's loop and L-BFGS written out literally.

Nothing here uses the code under test.
"""

import numpy as np
import torch

POSITION = {"cls": 0, "word": 1, "sep": 2}


def activations(model, inputs, site, layer, frame, read="word"):
    """Activations of all neurons of a site and layer for `[CLS] x [SEP]`, by transformers itself.

    inputs: (n, H), the x's. Returns (n, width) with gradients to the inputs.
    """
    words = model.embeddings.word_embeddings.weight
    n = len(inputs)
    first, last = (words[i].expand(n, 1, -1) for i in frame)
    kept = {}
    block = model.encoder.layer[layer - 1]
    hook = block.intermediate.register_forward_hook(lambda *args: kept.update(inner=args[2]))
    try:
        found = model(
            inputs_embeds=torch.cat([first, inputs[:, None], last], dim=1),
            output_hidden_states=True,
        )
    finally:
        hook.remove()
    states = found.hidden_states[layer] if site == "output" else kept["inner"]
    return states[:, POSITION[read]]


def vocabulary_ascent(model, neurons, x, steps, rate, frame):
    """The paper's protocol: torch.optim.SGD on x in vocabulary space, one objective at a time.

    neurons: [(site, layer, index), ...], whose mean activation is ascended on. x: (V,). Returns the
    final x and the activation after every step (and before the first).
    """
    words = model.embeddings.word_embeddings.weight
    x = x.clone().requires_grad_()
    optimiser = torch.optim.SGD([x], lr=rate)

    def activation():
        parts = [
            activations(model, (x @ words)[None], site, layer, frame)[0, index]
            for site, layer, index in neurons
        ]
        return sum(parts) / len(parts)

    curve = []
    for _ in range(steps):
        optimiser.zero_grad()
        value = activation()
        curve.append(float(value.detach()))
        (-value).backward()
        optimiser.step()
    with torch.no_grad():
        curve.append(float(activation()))
    return x.detach(), curve


def lbfgs_ascent(function, start, first, angle, memory, steps):
    """One point's L-BFGS on the sphere, its inverse Hessian a dense matrix made anew at every step.

    function: of e (H,), its value and gradient. first: (H, H), the first inverse Hessian but for its
    scale. Returns the points looked at, (steps + 1, H).
    """
    length, least, most = np.linalg.norm(start), 1e-6, angle
    trial, looked = start / length, []
    point = value = uphill = None
    trust, pairs = angle, []
    for _ in range(steps + 1):
        looked.append(length * trial)
        new_value, gradient = function(looked[-1])
        new_uphill = _off(length * gradient, trial)
        if point is None:
            taken, curved = True, False
        else:
            step = trial - point
            s, y = _off(step, trial), uphill - new_uphill
            curved = s @ y > 1e-10 * np.linalg.norm(s) * np.linalg.norm(y)
            if curved:
                pairs = [*pairs, (s, y)][-memory:]
            taken = new_value > value - 1e-7 * abs(value)
            to_the_edge = np.linalg.norm(step) > 0.9 * trust
            if not taken:
                trust = max(0.4 * trust, least)
            elif to_the_edge and new_value - value > 0.25 * (step @ uphill):
                trust = min(1.5 * trust, most)
        if taken:
            point, value, uphill = trial, new_value, new_uphill
        direction = _off(_inverse_hessian(pairs, first) @ uphill, point)
        knows = bool(pairs) and (curved or not taken)
        if direction @ uphill <= 0:
            direction, knows = uphill, False
        share = trust / np.linalg.norm(direction)
        trial = point + (min(share, 1) if knows else share) * direction
        trial = trial / np.linalg.norm(trial)
    return np.array(looked)


def _inverse_hessian(pairs, first):
    """Nocedal and Wright (2006), equation 7.16, as repeated updates (6.17) of a whole matrix."""
    one = np.eye(len(first))
    h = first
    if pairs:
        s, y = pairs[-1]
        h = first * (s @ y) / (y @ first @ y)
    for s, y in pairs:
        rho = 1 / (s @ y)
        h = (one - rho * np.outer(s, y)) @ h @ (one - rho * np.outer(y, s)) + rho * np.outer(s, s)
    return h


def _off(vector, axis):
    return vector - (vector @ axis) * axis
