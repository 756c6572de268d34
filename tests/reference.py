"""Independent references: what transformers computes, and the paper's loop written out literally.

Nothing here uses the code under test.
"""

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

    neurons: [(site, layer, index), ...], whose mean activation is climbed. x: (V,). Returns the final
    x and the activation after every step (and before the first).
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
