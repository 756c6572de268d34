"""Every family reads and ascends as transformers computes it, under ceilings that hold.

The oracle is transformers' own forward pass in float64, on random models with random gains and biases.
"""

import json
import math
import shutil
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer

import textualization as tx
from make_tiny_families import FAMILIES, write_family
from textualization.ascent.loop import AscentSettings, run_ascent
from textualization.ascent.objectives import mean_of
from textualization.models.architecture import Architecture
from textualization.models.conversion import TOKENS, CheckpointError, convert, convert_loaded
from textualization.models.families import NAMES, family
from textualization.models.null_models import derive
from textualization.models.transformer import SITES, FrozenTransformer, Tap

LAYERS = 3
#: The module whose input is what a block's feed-forward layer holds after its non-linearity.
DOWN = {
    "bert": "encoder.layer.{}.output.dense",
    "roberta": "encoder.layer.{}.output.dense",
    "electra": "encoder.layer.{}.output.dense",
    "mpnet": "encoder.layer.{}.output.dense",
    "distilbert": "transformer.layer.{}.ffn.lin2",
    "gpt2": "h.{}.mlp.c_proj",
    "t5": "encoder.block.{}.layer.1.DenseReluDense.wo",
    "modernbert": "layers.{}.mlp.Wo",
    "llama": "layers.{}.mlp.down_proj",
}
#: A family, and what its config says differently.
CASES = {name: (name, {}) for name in FAMILIES}
CASES |= {
    "electra of one width": ("electra", {"embedding_size": 16}),
    "albert of two groups": ("albert", {"num_hidden_groups": 2}),
    "t5 gated": ("t5", {"feed_forward_proj": "gated-gelu", "d_kv": 4}),
    "xlm-roberta": ("roberta", {"model_type": "xlm-roberta"}),
    "llama of one key": ("llama", {"num_key_value_heads": 1, "attention_bias": True}),
    "llama of long heads": ("llama", {"head_dim": 6}),
    "modernbert with biases": ("modernbert", {"norm_bias": True, "attention_bias": True}),
    "gpt2 of another width": ("gpt2", {"n_inner": None}),
    "gpt2 alone": ("gpt2", {"bos_token_id": None}),
    "t5 alone": ("t5", {"eos_token_id": None, "d_kv": 7}),
    "llama alone": ("llama", {"bos_token_id": None, "mlp_bias": True}),
    # As the German GPT-2, whose config.json gives the id of an ordinary word.
    "gpt2 of another tokenizer": ("gpt2", {"bos_token_id": 20}),
    "t5 between": ("t5", {}),
}
#: What a user states around x.
FRAMES = {
    "gpt2 alone": {"before": None},
    "t5 alone": {"after": None},
    "llama alone": {"before": None, "after": None},
    "gpt2 of another tokenizer": {"before": "<|endoftext|>"},
    "t5 between": {"before": "<pad>"},
}


@dataclass
class Case:
    """One model as transformers reads it, in float64, and frozen."""

    name: str
    family: str
    folder: Path
    whole: torch.nn.Module
    tensors: dict
    facts: dict

    def frozen(self, read="word", dtype=torch.float64, **options) -> FrozenTransformer:
        return FrozenTransformer(self.tensors, self.facts, read=read, dtype=dtype, **options)

    @property
    def architecture(self) -> Architecture:
        return Architecture.read(self.facts)

    @property
    def frame(self) -> list[int | None]:
        """The ids around x, None for x itself."""
        a = self.architecture
        return [i for i in (a.before, None, a.after) if i is None or i >= 0]


@pytest.fixture(scope="session")
def case_of(tmp_path_factory):
    """Cases by name, each made once."""

    @cache
    def make(name: str) -> Case:
        of, changes = CASES[name]
        folder = tmp_path_factory.mktemp("family")
        write_family(folder, of)
        if changes:
            rewrite(folder, of, changes)
        stated = {"frame": FRAMES[name]} if name in FRAMES else {}
        tensors, facts = convert(folder, of, **stated)
        made = transformers.T5EncoderModel if of == "t5" else transformers.AutoModel
        whole = made.from_pretrained(folder, dtype=torch.float64).eval().requires_grad_(False)
        return Case(name, of, folder, whole, tensors, facts)

    return make


@pytest.fixture(params=CASES)
def case(request, case_of):
    return case_of(request.param)


def rewrite(folder, of, changes) -> None:
    """Draw a model of a changed config, in place of the one in the folder."""
    kind = changes.get("model_type", json.loads((folder / "config.json").read_text())["model_type"])
    settings = json.loads((folder / "config.json").read_text()) | changes
    if "feed_forward_proj" in changes:  # what follows from it is derived anew
        settings = {k: v for k, v in settings.items() if k not in ("dense_act_fn", "is_gated_act")}
    config = type(transformers.AutoConfig.for_model(kind)).from_dict(settings)
    torch.manual_seed(5)
    made = (
        transformers.T5EncoderModel(config)
        if of == "t5"
        else transformers.AutoModel.from_config(config)
    )
    state = made.state_dict()
    state.pop("encoder.embed_tokens.weight", None)
    for tensor in state.values():
        if tensor.ndim == 1:
            tensor += 0.1 * torch.randn_like(tensor)
    kept = {name: t.contiguous() for name, t in state.items() if t.is_floating_point()}
    save_file(kept, folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "config.json").write_text(json.dumps(config.to_diff_dict()))


@contextmanager
def unrounded():
    """transformers rounds to float32 inside RMSNorm and rotary positions; within this it does not."""
    to, single = torch.Tensor.to, torch.Tensor.float

    def unchanged(tensor, *args, **options):
        args = [torch.float64 if a is torch.float32 else a for a in args]
        if options.get("dtype") is torch.float32:
            options["dtype"] = torch.float64
        return to(tensor, *args, **options)

    torch.Tensor.to, torch.Tensor.float = unchanged, torch.Tensor.double
    try:
        yield
    finally:
        torch.Tensor.to, torch.Tensor.float = to, single


def as_transformers(case: Case, inputs=None, ids=None, context=None) -> dict[Tap, torch.Tensor]:
    """All activations at all positions, (n, tokens, width) per Tap, by transformers itself."""
    whole, kept, hooks = case.whole, {}, []
    pattern = DOWN.get(case.family)
    for layer in range(LAYERS):
        if pattern is None:
            break
        module = whole.get_submodule(pattern.format(layer))
        hook = module.register_forward_pre_hook(
            lambda _, args, layer=layer: kept.update({Tap("intermediate", layer + 1): args[0]})
        )
        hooks.append(hook)
    if case.family == "albert":
        hooks += shared_hooks(whole, kept)
    # Rotary angles are float32 by nature: cosines of these, then in the model's own type.
    rotary = getattr(whole, "rotary_emb", None)
    if rotary is not None:
        forward = type(rotary).forward

        def rounded(*args, **options):
            with torch.autocast("cpu", enabled=False):
                return originals(forward, rotary, *args, **options)

        rotary.forward = rounded
    if inputs is not None:
        e = whole.get_input_embeddings().weight
        inputs = inputs.view(len(inputs), -1, e.shape[1])
        given = {"inputs_embeds": torch.cat(_spelt_out(case, inputs, e, context), dim=1)}
    else:
        given = {"input_ids": ids}
    try:
        with unrounded():
            states = whole(**given, output_hidden_states=True).hidden_states
    finally:
        for hook in hooks:
            hook.remove()
        if rotary is not None:
            del rotary.forward
    assert len(states) == LAYERS + 1
    return kept | {Tap("output", layer): states[layer] for layer in range(1, LAYERS + 1)}


def _spelt_out(case: Case, inputs, e, context) -> list[torch.Tensor]:
    """The embeddings of all tokens: special ones, those of a context, and the x, one after another."""
    middle, x = [None] * inputs.shape[1] if context is None else context, iter(range(99))
    tokens = [case.architecture.before, *middle, case.architecture.after]
    tokens = [i for i in tokens if i is None or i >= 0]
    return [inputs[:, [next(x)]] if i is None else e[i].expand(len(inputs), 1, -1) for i in tokens]


TO, SINGLE = torch.Tensor.to, torch.Tensor.float


def originals(forward, module, *args, **options):
    """A module's forward pass with its own roundings."""
    patched = torch.Tensor.to, torch.Tensor.float
    torch.Tensor.to, torch.Tensor.float = TO, SINGLE
    try:
        return forward(module, *args, **options)
    finally:
        torch.Tensor.to, torch.Tensor.float = patched


def shared_hooks(whole, kept):
    """ALBERT's layers share modules: which layer calls, only their order tells."""
    calls = []

    def keep(_, args):
        calls.append(None)
        kept[Tap("intermediate", len(calls))] = args[0]

    groups = whole.encoder.albert_layer_groups
    return [group.albert_layers[0].ffn_output.register_forward_pre_hook(keep) for group in groups]


def inputs_for(model, n=5, scale=1.0):
    generator = torch.Generator().manual_seed(3)
    shape = (n, model.embedding)
    return scale * torch.randn(*shape, generator=generator, dtype=torch.float64)


def positions(case: Case) -> dict[str, int]:
    """What can be read, and where it stands."""
    names = [name for name, i in zip(("cls", "word", "sep"), three(case), strict=True) if i != -1]
    found = {name: place for place, name in enumerate(names)}
    if case.architecture.causal:
        found.pop("cls", None)
    return found


def three(case):
    return (case.architecture.before, 0, case.architecture.after)


def all_taps():
    return [Tap(site, layer) for site in SITES for layer in range(1, LAYERS + 1)]


@pytest.mark.parametrize("place", [1, 2, 4])
def test_several_free_positions_equal_transformers_in_value_and_gradient(case, place):
    frozen = case.frozen(context=[None] * 4, place=place)
    generator = torch.Generator().manual_seed(8)
    inputs = torch.randn(3, frozen.free, generator=generator, dtype=torch.float64)
    first = case.frame.index(None)
    for tap in all_taps():
        values, gradients = [], []
        for compute in (
            lambda x, tap=tap: frozen.activations(x, [tap])[tap],
            lambda x, tap=tap: as_transformers(case, x)[tap][:, first + place - 1],
        ):
            x = inputs.clone().requires_grad_()
            value = compute(x)
            weights = torch.linspace(-1, 2, value.numel(), dtype=torch.float64).view_as(value)
            (gradient,) = torch.autograd.grad((value * weights).sum(), x)
            values.append(value.detach())
            gradients.append(gradient)
        torch.testing.assert_close(*values, rtol=1e-10, atol=1e-10)
        torch.testing.assert_close(*gradients, rtol=1e-9, atol=1e-10)


#: One x within a sentence, at its beginning and at its end; two x apart; three, of which two adjacent.
CONTEXTS = {
    "within": [11, 12, None, 13, 14],
    "first": [None, 21, 22],
    "last": [30, 31, None],
    "two apart": [11, None, 12, 13, None, 14],
    "two at the ends": [None, 15, None],
    "three": [None, 11, None, None],
}


@pytest.mark.parametrize("context", CONTEXTS.values(), ids=CONTEXTS)
def test_x_among_fixed_tokens_equals_transformers_in_value_and_gradient(case, context):
    e, first = case.whole.get_input_embeddings().weight, int(case.architecture.before >= 0)
    for place in range(1, context.count(None) + 1):
        frozen = case.frozen(context=context, place=place)
        generator = torch.Generator().manual_seed(4)
        shape = (3, context.count(None), e.shape[1])
        inputs = torch.randn(shape, generator=generator, dtype=torch.float64).flatten(1)
        read = [t for t, i in enumerate(context) if i is None][place - 1] + first
        for tap in all_taps():
            values, gradients = [], []
            for compute in (
                lambda x, tap=tap, frozen=frozen: frozen.activations(x, [tap])[tap],
                lambda x, tap=tap, read=read: as_transformers(case, x, context=context)[tap][
                    :, read
                ],
            ):
                x = inputs.clone().requires_grad_()
                value = compute(x)
                weights = torch.linspace(-1, 2, value.numel(), dtype=torch.float64).view_as(value)
                (gradient,) = torch.autograd.grad((value * weights).sum(), x)
                values.append(value.detach())
                gradients.append(gradient)
            torch.testing.assert_close(*values, rtol=1e-10, atol=1e-10)
            torch.testing.assert_close(*gradients, rtol=1e-9, atol=1e-10)


def test_the_special_tokens_around_a_context_can_be_read(case):
    """In a causal model only those behind x."""
    context, causal = [11, None, 12], case.architecture.causal
    for read, there in (("cls", case.architecture.before), ("sep", case.architecture.after)):
        if there < 0 or (causal and read == "cls"):
            with pytest.raises(ValueError, match=f"'{read}'"):
                case.frozen(read, context=context)
            continue
        frozen = case.frozen(read, context=context)
        x = inputs_for(frozen)
        expected = as_transformers(case, x, context=context)
        for tap, found in frozen.activations(x, all_taps()).items():
            place = 0 if read == "cls" else -1
            torch.testing.assert_close(found, expected[tap][:, place], rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("name", FAMILIES)
def test_what_is_around_x_matters_and_causal_models_see_only_what_is_before_it(name, case_of):
    case, tap = case_of(name), Tap("output", LAYERS)

    def at(context):
        frozen = case.frozen(context=context)
        return frozen.activations(inputs_for(frozen), [tap])[tap]

    assert (at([11, None, 12]) - at([13, None, 12])).abs().max() > 1e-3
    changes = (at([11, None, 12]) - at([11, None, 13])).abs().max()
    assert changes == 0 if case.architecture.causal else changes > 1e-3


def test_more_tokens_than_positions_are_refused(case_of):
    with pytest.raises(ValueError, match="20 free and 2 fixed .* 22 tokens .*for 12"):
        case_of("bert").frozen(context=[None] * 20)
    with pytest.raises(ValueError, match="1 free and 13 fixed .* 14 tokens .*for 12"):
        case_of("bert").frozen(context=[None, *range(11)])
    with pytest.raises(ValueError, match="context: it has no free position"):
        case_of("bert").frozen(context=[7, 8])
    with pytest.raises(ValueError, match="place: 5 is not one of the 4 free positions"):
        case_of("bert").frozen(context=[None] * 4, place=5)


def test_there_is_a_case_for_every_family():
    assert set(FAMILIES) == set(NAMES) and len(NAMES) == 10


def test_all_layers_sites_and_positions_equal_transformers_in_value_and_gradient(case):
    for read, place in positions(case).items():
        frozen = case.frozen(read)
        x = inputs_for(frozen)
        for tap in all_taps():
            values, gradients = [], []
            for compute in (
                lambda x, tap=tap, frozen=frozen: frozen.activations(x, [tap])[tap],
                lambda x, tap=tap, place=place: as_transformers(case, x)[tap][:, place],
            ):
                x = x.detach().requires_grad_()
                value = compute(x)
                weights = torch.linspace(-1, 2, value.numel(), dtype=torch.float64)
                (gradient,) = torch.autograd.grad((value * weights.view_as(value)).sum(), x)
                values.append(value.detach())
                gradients.append(gradient)
            assert values[0].std() > 1e-3 and gradients[0].abs().max() > 1e-6
            torch.testing.assert_close(*values, rtol=1e-11, atol=1e-11)
            torch.testing.assert_close(*gradients, rtol=1e-10, atol=1e-11)


def test_taps_read_together_or_in_part_equal_taps_read_alone(case):
    for frozen in map(case.frozen, positions(case)):
        x = inputs_for(frozen)
        together = frozen.activations(x, all_taps())
        assert set(together) == set(all_taps())
        for tap in all_taps():
            alone = frozen.activations(x, [tap])[tap]
            torch.testing.assert_close(together[tap], alone, rtol=1e-12, atol=1e-12)
            some = torch.tensor([7, 2, 2])
            found = frozen.activations(x, {tap: some})[tap]
            torch.testing.assert_close(found, alone[:, some], rtol=1e-12, atol=1e-12)
            one = frozen.activations(x[:1], [tap])[tap]
            torch.testing.assert_close(one, alone[:1], rtol=1e-12, atol=1e-12)


def test_a_word_is_read_as_transformers_reads_its_id(case):
    """So positions, token types, and what stands around a word are the model's own."""
    words = torch.tensor([11, 20, 33])
    parts = [words if i is None else torch.full_like(words, i) for i in case.frame]
    states = as_transformers(case, ids=torch.stack(parts, dim=1))
    frozen = case.frozen()
    found = frozen.activations(frozen.word_embeddings[words], all_taps())
    place = positions(case)["word"]
    for tap in all_taps():
        torch.testing.assert_close(found[tap], states[tap][:, place], rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("name", ["gpt2", "llama"])
def test_what_stands_behind_x_in_a_causal_model_sees_x_and_is_not_seen(name, case_of):
    """As no family here has it: what is read is behind x."""
    given = case_of(name)
    case = replace(given, facts=given.facts | {"after": "9"})
    for read, place in (("word", 1), ("sep", 2)):
        frozen = case.frozen(read)
        x = inputs_for(frozen)
        expected, found = as_transformers(case, x), frozen.activations(x, all_taps())
        for tap in all_taps():
            torch.testing.assert_close(found[tap], expected[tap][:, place], rtol=1e-11, atol=1e-11)


def test_what_cannot_be_read_is_refused_by_name(case_of):
    for name, read, says in (
        ("t5", "cls", "'cls' is not a position of this model .has: word, sep"),
        ("gpt2", "sep", "'sep' is not a position of this model .has: cls, word"),
        ("gpt2", "cls", "'cls' comes before x"),
        ("llama", "cls", "'cls' comes before x"),
        ("llama alone", "cls", "'cls' is not a position of this model .has: word"),
        ("t5 alone", "sep", "'sep' is not a position of this model .has: word"),
        ("bert", "middle", "has: cls, word, sep"),
    ):
        with pytest.raises(ValueError, match=says):
            case_of(name).frozen(read)


def test_no_input_passes_a_ceiling_and_where_nothing_normalises_there_is_none(case):
    frozen = case.frozen()
    generator = torch.Generator().manual_seed(0)
    scale = torch.logspace(-2, 4, 1500, dtype=torch.float64)[:, None]
    x = scale * torch.randn(1500, frozen.embedding, generator=generator, dtype=torch.float64)
    found = frozen.activations(x, all_taps())
    for tap in all_taps():
        width = frozen.width(tap.site)
        single = frozen.ceiling(tap, torch.eye(width, dtype=torch.float64))
        bare = case.architecture.order == "pre" and tap.layer < LAYERS and tap.site == "output"
        assert single.isnan().all() == single.isnan().any() == bare
        if bare:
            continue
        assert (found[tap].max(dim=0).values <= single + 1e-9).all()
        group = torch.randn(6, width, generator=generator, dtype=torch.float64)
        assert ((found[tap] @ group.T).max(dim=0).values <= frozen.ceiling(tap, group) + 1e-9).all()


def test_a_ceiling_does_not_depend_on_what_else_is_in_the_table(case):
    frozen = case.frozen()
    groups = [[(tap.site, tap.layer, 1)] for tap in all_taps()]
    together = mean_of(groups, frozen).ceiling(frozen)
    alone = torch.cat([mean_of([group], frozen).ceiling(frozen) for group in groups])
    torch.testing.assert_close(together, alone, rtol=1e-12, atol=0, equal_nan=True)


def test_single_precision_stays_close(case):
    exact, rough = case.frozen(), case.frozen(dtype=torch.float32)
    x = inputs_for(exact)
    for tap, expected in exact.activations(x, all_taps()).items():
        found = rough.activations(x.float(), [tap])[tap].double()
        assert (found - expected).norm() <= 1e-4 * expected.norm()


@pytest.mark.parametrize("name", ["albert", "electra", "gpt2", "t5 gated", "llama", "modernbert"])
def test_ascent_is_the_papers_loop_over_the_vocabulary(name, case_of):
    """x moved by torch.optim.SGD through transformers, one objective at a time."""
    case = case_of(name)
    frozen = case.frozen()
    e = case.whole.get_input_embeddings().weight
    generator = torch.Generator().manual_seed(1)
    x0 = torch.randn(2, len(e), generator=generator, dtype=torch.float64)
    groups = [[("intermediate", 2, 3)], [("output", 3, 1), ("output", 1, 4)]]
    how = AscentSettings(steps=20, options={"rate": 10.0})
    found = run_ascent(frozen, mean_of(groups, frozen), x0 @ e, how)
    place = positions(case)["word"]
    for row, group in enumerate(groups):
        x = x0[row].clone().requires_grad_()
        optimiser = torch.optim.SGD([x], lr=10.0)
        for _ in range(20):
            optimiser.zero_grad()
            states = as_transformers(case, (x @ e)[None])
            value = sum(states[Tap(s, la)][0, place, i] for s, la, i in group) / len(group)
            (-value).backward()
            optimiser.step()
        expected = x.detach() @ e
        assert (found.embedding[row] - expected).norm() <= 1e-8 * expected.norm()
        assert (expected - x0[row] @ e).norm() > 1e-3 * expected.norm()


# --- nulls ------------------------------------------------------------------------------------


def part_of(name):
    return name.removesuffix(".weight").split(".")[-1]


@pytest.mark.parametrize("of", NAMES)
def test_an_untrained_model_is_spread_as_transformers_spreads_it(of, tmp_path):
    """Tensor by tensor against from_config: zeros and ones are so, deviations agree."""
    write_family(tmp_path, of)
    settings = json.loads((tmp_path / "config.json").read_text())
    rewritten = {k: v for k, v in settings.items() if k not in ("embedding_size",)}
    big = {"hidden_size": 64, "intermediate_size": 128, "vocab_size": 500}
    big |= {"d_model": 64, "d_ff": 128, "d_kv": 16, "dim": 64, "hidden_dim": 128}
    big |= {"n_embd": 64, "n_inner": 128, "head_dim": 16, "embedding_size": 48}
    big |= {"initializer_range": 0.03, "num_hidden_layers": 3}
    rewritten |= {
        k: v for k, v in big.items() if k in settings or k in ("hidden_size", "vocab_size")
    }
    if of in ("distilbert", "gpt2", "t5"):
        rewritten.pop("hidden_size"), rewritten.pop("num_hidden_layers", None)
    config = type(transformers.AutoConfig.for_model(settings["model_type"])).from_dict(rewritten)
    torch.manual_seed(0)
    model = (
        transformers.T5EncoderModel(config)
        if of == "t5"
        else transformers.AutoModel.from_config(config)
    )
    state = model.state_dict()
    state.pop("encoder.embed_tokens.weight", None)
    save_file(
        {name: t.contiguous() for name, t in state.items() if t.is_floating_point()},
        tmp_path / "model.safetensors",
        metadata={"format": "pt"},
    )
    (tmp_path / "config.json").write_text(json.dumps(config.to_diff_dict()))
    tensors, facts = convert(tmp_path, of)
    expected = {name: t.numpy() for name, t in tensors.items()}
    found = derive("untrained", expected, facts, seed=1, draw=0)
    assert found.keys() == expected.keys()
    pooled = {}
    for name, theirs in expected.items():
        ours = found[name]
        assert ours.shape == theirs.shape and ours.dtype == theirs.dtype
        if name != "position_embeddings":  # in these a row that is never read may be zeros
            np.testing.assert_array_equal(ours == 0, theirs == 0, err_msg=name)
        if name.startswith("constant.") or theirs.std() == 0:
            np.testing.assert_array_equal(ours, theirs, err_msg=name)
        else:
            for side, values in (("ours", ours), ("theirs", theirs)):
                pooled.setdefault((part_of(name), side), []).append(values[values != 0].ravel())
    parts = {part for part, _ in pooled}
    assert {"word_embeddings", "query", "output"} <= parts
    for part in parts:
        ours, theirs = (np.concatenate(pooled[part, side]) for side in ("ours", "theirs"))
        assert len(ours) >= 40
        within = 5 / math.sqrt(2 * len(theirs))
        assert abs(ours.std() / theirs.std() - 1) < 1.5 * within, part
        assert abs(ours.mean()) < 5 * ours.std() / math.sqrt(len(ours))
        if of == "modernbert":
            bound = np.abs(theirs).max()
            assert np.abs(ours).max() < 1.1 * bound


def test_shuffling_leaves_alone_what_no_training_touched(case):
    arrays = {name: tensor.numpy() for name, tensor in case.tensors.items()}
    found = derive("permuted", arrays, case.facts, seed=1, draw=0)
    assert found.keys() == arrays.keys()
    for name, array in arrays.items():
        assert np.array_equal(np.sort(found[name].ravel()), np.sort(array.ravel()))
        assert np.array_equal(found[name], array) == name.startswith("constant.")
    tensors = {name: torch.from_numpy(np.ascontiguousarray(t)) for name, t in found.items()}
    model = FrozenTransformer(tensors, case.facts)
    assert model.activations(torch.zeros(2, model.embedding), all_taps())


def test_directions_are_read_of_the_models_own_states(case):
    arrays = {name: tensor.numpy() for name, tensor in case.tensors.items()}
    found = derive("rotated_basis", arrays, case.facts, seed=1, draw=0)
    tensors = {name: torch.from_numpy(np.ascontiguousarray(t)) for name, t in found.items()}
    turned, plain = FrozenTransformer(tensors, case.facts, dtype=torch.float64), case.frozen()
    x = inputs_for(plain)
    for tap in all_taps():
        basis = torch.from_numpy(found[f"basis.{tap.site}.{tap.layer}"]).double()
        expected = plain.activations(x, [tap])[tap] @ basis.T
        torch.testing.assert_close(turned.activations(x, [tap])[tap], expected)


# --- checkpoints ------------------------------------------------------------------------------


def test_facts_are_text_and_read_back(case):
    assert all(isinstance(value, str) for value in case.facts.values())
    assert case.architecture.facts() == case.facts


def test_shared_blocks_are_kept_once(case_of):
    for name, count in (("albert", 1), ("albert of two groups", 2), ("bert", LAYERS)):
        case = case_of(name)
        blocks = {key.split(".")[1] for key in case.tensors if key.startswith("block.")}
        assert len(blocks) == count
        assert len({case.architecture.block(layer) for layer in (1, 2, 3)}) == count


@pytest.mark.parametrize("of", NAMES)
def test_another_family_is_refused_by_name(of, tmp_path):
    write_family(tmp_path, of)
    wrong = "gpt2" if of != "gpt2" else "bert"
    with pytest.raises(
        CheckpointError, match=rf"model type '{of}' does not belong to the family '{wrong}'"
    ):
        convert(tmp_path, wrong)


def test_an_unknown_family_is_told_the_known_ones_and_where_one_is_added():
    with pytest.raises(ValueError, match=r"'mamba' is not known .*albert, bert.*docs/families\.md"):
        family("mamba")


@pytest.mark.parametrize(
    ("of", "key"), [(of, key) for of in NAMES for key in family(of).only], ids=str
)
def test_what_the_study_does_not_know_in_a_config_is_refused_by_name(of, key, tmp_path):
    write_family(tmp_path, of)
    known = family(of).only[key]
    other = {bool: lambda: not known, str: lambda: "relative_key"}
    value = other.get(type(known), lambda: known + 1)()
    for part in reversed(key.split(".")):
        value = {part: value}
    configure(tmp_path, **value)
    with pytest.raises(CheckpointError, match=rf"config.json has {key}: .* .supported: {known}.$"):
        convert(tmp_path, of)


@pytest.mark.parametrize(
    ("of", "says"),
    [
        ("bert", {"position_embedding_type": "relative_key"}),
        ("bert", {"position_embedding_type": "relative_key_query"}),
        ("bert", {"position_embedding_type": "alibi"}),
        ("roberta", {"position_embedding_type": "relative_key"}),
        ("roberta", {"position_embedding_type": "rotary", "model_type": "xlm-roberta"}),
        ("electra", {"position_embedding_type": "relative_key"}),
        ("albert", {"position_embedding_type": "relative_key"}),
        ("mpnet", {"relative_attention_num_buckets": 16}),
        ("mpnet", {"relative_attention_num_buckets": 64}),
        ("llama", {"partial_rotary_factor": 0.5}),
        ("llama", {"rope_parameters": {"rope_type": "linear", "factor": 2.0}
                   | {"partial_rotary_factor": 0.5, "rope_theta": 1e4}}),
    ],
)  # fmt: skip
def test_a_forward_pass_that_transformers_would_pass_over_is_refused(of, says, tmp_path):
    write_family(tmp_path, of)
    if "relative_attention_num_buckets" in says:
        rewrite(tmp_path, of, says)  # the checkpoint fits
    configure(tmp_path, **says)
    key = "partial_rotary_factor" if of == "llama" else next(iter(says))
    with pytest.raises(CheckpointError, match=f"config.json has .*{key}: .*supported: "):
        convert(tmp_path, of)


def test_a_loaded_model_is_held_to_its_config_too(tmp_path):
    write_family(tmp_path, "bert")
    configure(tmp_path, position_embedding_type="relative_key")
    live = transformers.AutoModel.from_pretrained(tmp_path)
    tokens = Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    with pytest.raises(CheckpointError, match="position_embedding_type: relative_key"):
        convert_loaded(live, tokens)
    write_family(tmp_path, "gpt2")
    configure(tmp_path, bos_token_id=20)
    live = transformers.AutoModel.from_pretrained(tmp_path)
    tokens = Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    with pytest.raises(CheckpointError, match="bos_token_id is 20, the ordinary entry"):
        convert_loaded(live, tokens)
    model = tx.load(live, tokens, frame={"before": "<|endoftext|>"}, device="cpu")
    assert model.architecture.before == 0


#: What checkpoints of these families mostly hold: the model and a head.
HEADS = {
    "albert": "AlbertForPreTraining",
    "bert": "BertForPreTraining",
    "distilbert": "DistilBertForMaskedLM",
    "electra": "ElectraForPreTraining",
    "gpt2": "GPT2LMHeadModel",
    "llama": "LlamaForCausalLM",
    "modernbert": "ModernBertForMaskedLM",
    "mpnet": "MPNetForMaskedLM",
    "roberta": "RobertaForMaskedLM",
    "t5": "T5ForConditionalGeneration",
}


@pytest.mark.parametrize("of", NAMES)
def test_a_head_or_a_decoder_beside_the_model_changes_nothing(of, tmp_path):
    write_family(tmp_path / "bare", of)
    bare = load_file(tmp_path / "bare" / "model.safetensors")
    config = transformers.AutoConfig.from_pretrained(tmp_path / "bare")
    headed = getattr(transformers, HEADS[of])(config)
    headed.base_model.load_state_dict(bare, strict=False)
    headed.tie_weights()
    headed.save_pretrained(tmp_path / "headed")
    shutil.copy(tmp_path / "bare" / "tokenizer.json", tmp_path / "headed")
    assert load_file(tmp_path / "headed" / "model.safetensors").keys() != bare.keys()
    expected, found = (convert(tmp_path / name, of) for name in ("bare", "headed"))
    assert found[1] == expected[1] and found[0].keys() == expected[0].keys()
    assert all(torch.equal(tensor, expected[0][name]) for name, tensor in found[0].items())


@pytest.mark.parametrize(
    ("of", "name"),
    [
        ("gpt2", "h.0.attn.bias"),
        ("gpt2", "h.2.attn.masked_bias"),
        ("llama", "layers.0.self_attn.rotary_emb.inv_freq"),
        ("bert", "embeddings.position_ids"),
    ],
)
def test_what_older_versions_saved_beside_the_weights_is_passed_over(of, name, tmp_path):
    write_family(tmp_path, of)
    expected, _ = convert(tmp_path, of)
    changed(tmp_path, lambda state: state.update({name: torch.ones(1, 2)}))
    found, _ = convert(tmp_path, of)
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[key], expected[key]) for key in expected)


def test_of_two_embeddings_in_a_t5_the_encoders_own_is_read(tmp_path):
    write_family(tmp_path, "t5")
    generator = torch.Generator().manual_seed(6)

    def apart(state):
        words = state["shared.weight"]
        own = torch.randn(words.shape, generator=generator)
        state["encoder.embed_tokens.weight"] = own

    changed(tmp_path, apart)
    whole = transformers.T5EncoderModel.from_pretrained(tmp_path, dtype=torch.float64).eval()
    frozen = FrozenTransformer(*convert(tmp_path, "t5"), dtype=torch.float64)
    with torch.no_grad(), unrounded():
        ids = torch.tensor([[11, frozen.architecture.after]])
        expected = whole(input_ids=ids, output_hidden_states=True).hidden_states[2][:, 0]
    tap = Tap("output", 2)
    found = frozen.activations(frozen.word_embeddings[[11]], [tap])[tap]
    torch.testing.assert_close(found, expected, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        (9999, r"entry 9999, the special token .*not one of the model's"),
        ([1, 2], "several entries"),
    ],
)
def test_what_stands_beside_x_must_be_one_entry_of_the_model(entry, says, tmp_path):
    write_family(tmp_path, "t5")
    settings = json.loads((tmp_path / "config.json").read_text()) | {"eos_token_id": entry}
    (tmp_path / "config.json").write_text(json.dumps(settings))
    with pytest.raises(CheckpointError, match=says):
        convert(tmp_path, "t5")


def configure(folder, *removed, **changes) -> None:
    """Change and remove fields of a folder's config.json."""
    settings = json.loads((folder / "config.json").read_text()) | changes
    kept = {key: value for key, value in settings.items() if key not in removed}
    (folder / "config.json").write_text(json.dumps(kept))


#: Families that find a special token by its id, the field of this id, and x's side.
BY_ID = [("gpt2", "bos_token_id", "before"), ("llama", "bos_token_id", "before")]
BY_ID += [("t5", "eos_token_id", "after")]


@pytest.mark.parametrize(("of", "field", "place"), BY_ID)
@pytest.mark.parametrize(
    ("value", "says"),
    [
        (25, "is 25, the ordinary entry '.+', and not a special token"),
        (None, "is null or missing"),
        ([0, 1], r"names several entries, \[0, 1\], for one special token"),
        (-1, "is entry -1, .* not one of the model's"),
        (9999, "is entry 9999, .* not one of the model's"),
        ("1", "is '1', which is not an id"),
        (True, "is True, which is not an id"),
    ],
)
def test_what_config_json_puts_next_to_x_is_a_special_token_or_refused(
    of, field, place, value, says, tmp_path
):
    write_family(tmp_path, of)
    configure(tmp_path, **{field: value})
    with pytest.raises(CheckpointError, match=f"config.json's {field} {says}") as error:
        convert(tmp_path, of)
    special = FAMILIES[of][2][0]
    assert f"frame: {{{place}: ...}}" in str(error.value) and special in str(error.value)
    assert "\n" not in str(error.value)


def test_a_missing_id_is_transformers_default_if_that_is_a_special_token(tmp_path):
    write_family(tmp_path, "llama")
    configure(tmp_path, "bos_token_id")
    assert convert(tmp_path, "llama")[1]["before"] == "1"  # <s>
    write_family(tmp_path, "gpt2")
    configure(tmp_path, "bos_token_id")
    with pytest.raises(CheckpointError, match="bos_token_id is entry 50256"):
        convert(tmp_path, "gpt2")


def test_a_stated_frame_gives_the_tensors_and_facts_of_the_right_config(tmp_path):
    write_family(tmp_path, "gpt2")
    tensors, facts = convert(tmp_path, "gpt2")
    for wrong in (20, [0, 1], None):
        configure(tmp_path, bos_token_id=wrong)
        found = convert(tmp_path, "gpt2", frame={"before": "<|endoftext|>", "after": None})
        assert found[1] == facts and found[0].keys() == tensors.keys()
        assert all(torch.equal(found[0][name], tensor) for name, tensor in tensors.items())


@pytest.mark.parametrize(
    ("frame", "says"),
    [
        ({"before": "[NONE]"}, r"has no entry '\[NONE\]'; state the .* before x as frame: .before"),
        ({"before": 0}, "frame.before: 0 is not the text of an entry"),
        ({"befor": "[CLS]"}, "frame: .*befor.* is not a mapping of before and after"),
        ("[CLS]", "frame: '.CLS.' is not a mapping of before and after"),
    ],
)
def test_a_frame_that_cannot_be_is_refused(frame, says, tmp_path):
    write_family(tmp_path, "bert")
    with pytest.raises(tx.RequestError, match=says):
        convert(tmp_path, "bert", frame=frame)
    with pytest.raises(tx.RequestError, match=says):
        tx.load(tmp_path, frame=frame, device="cpu")


def retokenize(folder, change) -> None:
    """Change the contents of a folder's tokenizer.json."""
    contents = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    change(contents)
    text = json.dumps(contents, ensure_ascii=False)
    (folder / "tokenizer.json").write_text(text, encoding="utf-8")


def test_a_special_token_is_known_by_its_flag_its_brackets_or_the_tokenizers_own_frame(tmp_path):
    write_family(tmp_path, "gpt2")

    def unlisted(contents):
        contents["added_tokens"] = []

    retokenize(tmp_path, unlisted)
    assert convert(tmp_path, "gpt2")[1]["before"] == "0"  # <|endoftext|>
    configure(tmp_path, bos_token_id=20)
    with pytest.raises(CheckpointError, match="the ordinary entry"):
        convert(tmp_path, "gpt2")

    def framed(contents):
        entry = next(entry for entry, row in contents["model"]["vocab"].items() if row == 20)
        contents["post_processor"] = {
            "type": "TemplateProcessing",
            "single": [{"SpecialToken": {"id": entry, "type_id": 0}}]
            + [{"Sequence": {"id": "A", "type_id": 0}}],
            "pair": [{"Sequence": {"id": "A", "type_id": 0}}]
            + [{"Sequence": {"id": "B", "type_id": 0}}],
            "special_tokens": {entry: {"id": entry, "ids": [20], "tokens": [entry]}},
        }

    retokenize(tmp_path, framed)
    assert convert(tmp_path, "gpt2")[1]["before"] == "20"


@pytest.mark.parametrize("of", ["bert", "distilbert", "electra", "albert", "roberta", "llama"])
def test_a_padding_entry_that_is_a_word_is_refused(of, tmp_path):
    write_family(tmp_path, of)
    configure(tmp_path, pad_token_id=25)
    with pytest.raises(CheckpointError, match=r"pad_token_id is 25, the ordinary entry '.+', and"):
        convert(tmp_path, of)


@pytest.mark.parametrize("of", ["gpt2", "t5", "modernbert"])
def test_a_padding_entry_that_is_not_used_may_be_any(of, tmp_path):
    write_family(tmp_path, of)
    expected = convert(tmp_path, of)[1]
    configure(tmp_path, pad_token_id=25)
    assert convert(tmp_path, of)[1] == expected


def test_without_a_padding_entry_no_row_is_zero_and_roberta_has_no_positions(tmp_path):
    for of in ("bert", "distilbert", "llama"):
        write_family(tmp_path / of, of)
        configure(tmp_path / of, pad_token_id=None)
        tensors, facts = convert(tmp_path / of, of)
        assert facts["padding"] == "-1"
        arrays = {name: tensor.numpy() for name, tensor in tensors.items()}
        null = derive("untrained", arrays, facts, seed=1, draw=0)
        assert (np.abs(null["word_embeddings"]).sum(axis=1) > 0).all()
    write_family(tmp_path / "roberta", "roberta")
    configure(tmp_path / "roberta", pad_token_id=None)
    with pytest.raises(CheckpointError, match="pad_token_id is null or negative, but positions"):
        convert(tmp_path / "roberta", "roberta")


def test_a_roberta_with_berts_tokenizer_is_read_with_its_special_tokens(tmp_path):
    """As klue/roberta-base: `[CLS]` and `[SEP]` around x, `[PAD]` with the id 1."""
    write_family(tmp_path, "roberta")
    names = {"<s>": "[CLS]", "</s>": "[SEP]", "<pad>": "[PAD]"}
    text = (tmp_path / "tokenizer.json").read_text(encoding="utf-8")
    for old, new in names.items():
        text = text.replace(f'"{old}"', f'"{new}"')
    (tmp_path / "tokenizer.json").write_text(text, encoding="utf-8")
    with pytest.raises(CheckpointError, match="has no entry '<s>'; state .* frame: {before: ...}"):
        convert(tmp_path, "roberta")
    _, facts = convert(tmp_path, "roberta", frame={"before": "[CLS]", "after": "[SEP]"})
    assert (facts["before"], facts["after"], facts["first_position"]) == ("0", "2", "2")


def test_a_window_of_attention_that_hides_tokens_is_refused(tmp_path):
    write_family(tmp_path, "modernbert")
    configure(tmp_path, local_attention=124)
    with pytest.raises(CheckpointError, match=r"local_attention: 124 \(supported: from 126\)"):
        convert(tmp_path, "modernbert")
    configure(tmp_path, local_attention=126)
    expected = transformers.AutoModel.from_pretrained(
        tmp_path, dtype=torch.float64, attn_implementation="eager"
    )
    assert max(abs(i - j) for i in range(TOKENS) for j in range(TOKENS)) == (
        expected.config.sliding_window
    )
    assert convert(tmp_path, "modernbert")


def test_distilberts_positions_are_the_files_however_they_began(tmp_path):
    write_family(tmp_path, "distilbert")
    tensors, facts = convert(tmp_path, "distilbert")
    configure(tmp_path, sinusoidal_pos_embds=True)
    found, other = convert(tmp_path, "distilbert")
    whole = transformers.AutoModel.from_pretrained(tmp_path)
    assert torch.equal(found["position_embeddings"], tensors["position_embeddings"])
    assert torch.equal(
        found["position_embeddings"], whole.embeddings.position_embeddings.weight.detach()
    )
    assert facts == other


@pytest.mark.parametrize("of", NAMES)
@pytest.mark.parametrize("how", ["missing", "null"])
def test_without_a_model_type_the_catalogues_family_decides(of, how, tmp_path):
    write_family(tmp_path, of)
    expected, facts = convert(tmp_path, of)
    configure(tmp_path, model_type=None)
    if how == "missing":
        configure(tmp_path, "model_type")
    if of == "roberta":
        with pytest.raises(
            CheckpointError, match="has no model_type .the family 'roberta' has camembert, roberta"
        ):
            convert(tmp_path, of)
        configure(tmp_path, architectures=["XLMRobertaForMaskedLM"])
    found = convert(tmp_path, of)
    assert found[1] == facts and found[0].keys() == expected.keys()
    assert all(torch.equal(tensor, expected[name]) for name, tensor in found[0].items())


def test_without_a_model_type_architectures_decide_or_the_argument_family(tmp_path):
    write_family(tmp_path, "gpt2")
    known = tx.load(tmp_path, device="cpu")
    configure(tmp_path, "model_type")
    with pytest.raises(tx.RequestError, match="has no model_type: name the model's family"):
        tx.load(tmp_path, device="cpu")
    assert tx.load(tmp_path, family="gpt2", device="cpu").facts == known.facts
    configure(tmp_path, architectures=["GPT2LMHeadModel"])
    assert tx.load(tmp_path, device="cpu").facts == known.facts
    with pytest.raises(tx.RequestError, match="type 'gpt2' does not belong to the family 'bert'"):
        tx.load(tmp_path, family="bert", device="cpu")


def test_a_family_that_is_not_known_is_refused_before_anything_is_read(tmp_path):
    with pytest.raises(tx.RequestError, match="^family: 'mamba' is not known"):
        tx.load(tmp_path, family="mamba")


def changed(folder, change):
    state = load_file(folder / "model.safetensors")
    change(state)
    save_file(state, folder / "model.safetensors", metadata={"format": "pt"})


@pytest.mark.parametrize("of", NAMES)
def test_a_missing_an_added_and_a_misshapen_tensor_are_named(of, tmp_path):
    write_family(tmp_path, of)
    whole = load_file(tmp_path / "model.safetensors")
    inside = family(of).block.format(0)
    victim = sorted(n for n in whole if n.startswith(inside) and whole[n].ndim == 2)[0]

    changed(tmp_path, lambda state: state.pop(victim))
    with pytest.raises(CheckpointError, match="the checkpoint lacks " + victim.replace(".", r"\.")):
        convert(tmp_path, of)

    def misshapen(state):
        state[victim] = torch.zeros(3, 5)

    changed(tmp_path, misshapen)
    with pytest.raises(CheckpointError, match=r"not of the shape .*" + victim.replace(".", r"\.")):
        convert(tmp_path, of)

    def added(state):
        state[victim] = whole[victim]
        state[inside + "extra.weight"] = torch.zeros(2)

    changed(tmp_path, added)
    with pytest.raises(CheckpointError, match=r"does not account for: .*extra\.weight"):
        convert(tmp_path, of)


@pytest.mark.parametrize("of", NAMES)
def test_half_precision_is_widened_and_not_rounded_again(of, tmp_path):
    write_family(tmp_path, of)

    def halve(state):
        for name, tensor in list(state.items()):
            state[name] = tensor.half()

    changed(tmp_path, halve)
    stored = load_file(tmp_path / "model.safetensors")
    settings = json.loads((tmp_path / "config.json").read_text()) | {"dtype": "float16"}
    (tmp_path / "config.json").write_text(json.dumps(settings))
    tensors, _ = convert(tmp_path, of)
    widened = {tuple(t.float().flatten().tolist()) for t in stored.values()}
    assert tuple(tensors["word_embeddings"].flatten().tolist()) in widened
    trained = [t for name, t in tensors.items() if not name.startswith("constant.")]
    assert all(t.dtype == torch.float32 for t in trained)
    assert all(torch.equal(t, t.half().float()) for t in trained)
