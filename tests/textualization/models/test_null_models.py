"""Null models and null groups: what a rule keeps, what it destroys, and that chance is fair.

What an untrained model is, transformers says; what activates directions, transformers and a product.
"""

import shutil
from collections import Counter
from typing import NamedTuple

import numpy as np
import pytest
import torch
from scipy import stats
from scipy.optimize import minimize_scalar
from scipy.special import erf
from transformers import BertConfig, BertModel

import reference
from ascents import ascend, starts_for
from paths import DATA
from textualization.analysis.null_draws import dealt, derangement, matched_group, quantile_strata
from textualization.ascent.objectives import mean_of
from textualization.models.conversion import convert
from textualization.models.null_models import NULL_MODELS, derive, random_rotation
from textualization.models.transformer import SITES, FrozenTransformer, Tap
from tiny import FRAME, TINY, load_tiny

NAMES = ("permuted", "permuted_keep_embeddings", "untrained", "rotated_basis")
SHUFFLES = NAMES[:2]
#: Every null changes this one.
CHANGED = dict.fromkeys(NAMES[:3], "block.1.query.weight") | {"rotated_basis": "basis.output.1"}


def arrays(name="tiny-wide"):
    tensors, facts = convert(DATA / name)
    return {name: tensor.numpy() for name, tensor in tensors.items()}, facts


def some(**tensors):
    """A model of these tensors, with word embeddings for the nulls that keep them."""
    return {"word_embeddings": np.arange(30.0, dtype=np.float32).reshape(10, 3)} | tensors


def frozen_of(tensors, facts, read="word"):
    tensors = {name: torch.from_numpy(tensor) for name, tensor in tensors.items()}
    return FrozenTransformer(tensors, facts, read=read, dtype=torch.float64)


def assert_alike(found, expected):
    assert found.keys() == expected.keys()
    for name in expected:
        np.testing.assert_array_equal(found[name], expected[name], err_msg=name)


def is_fair(counts):
    return stats.chisquare(counts).pvalue > 0.001


def test_the_null_models_are_these():
    assert tuple(NULL_MODELS) == NAMES


def test_an_unknown_null_is_refused_with_those_that_there_are():
    with pytest.raises(ValueError, match=f"'shuffled' .*allowed: {', '.join(NAMES)}"):
        derive("shuffled", *arrays(), 1, 0)


@pytest.mark.parametrize("null", NAMES)
def test_a_draw_comes_again_and_leaves_the_model_as_it_was(null):
    tensors, facts = arrays()
    first = derive(null, tensors, facts, 7, 1)
    assert_alike(tensors, arrays()[0])
    assert_alike(derive(null, tensors, facts, 7, 1), first)


@pytest.mark.parametrize("null", NAMES)
def test_draws_and_seeds_differ(null):
    tensors, facts = arrays()
    found = [derive(null, tensors, facts, *key)[CHANGED[null]] for key in [(7, 0), (7, 1), (8, 0)]]
    assert len({a.tobytes() for a in found}) == 3


def test_nulls_draw_apart():
    tensors, facts = arrays()
    found = [derive(null, tensors, facts, 7, 0)["block.1.query.weight"] for null in NAMES]
    assert len({a.tobytes() for a in found}) == len(NAMES)


@pytest.mark.parametrize("null", NAMES)
def test_every_null_is_a_model_that_can_be_read(null):
    tensors, facts = arrays()
    derived = derive(null, tensors, facts, 7, 0)
    assert all(a.dtype == np.float32 and a.flags.c_contiguous for a in derived.values())
    assert {k: a.shape for k, a in derived.items() if k in tensors} == {
        k: a.shape for k, a in tensors.items()
    }
    taps = [Tap(site, layer) for site in SITES for layer in (1, 2)]
    words = torch.from_numpy(derived["word_embeddings"]).double()[5:9]
    found = frozen_of(derived, facts).activations(words, taps)
    assert all(a.isfinite().all() for a in found.values())


@pytest.mark.parametrize("null", SHUFFLES)
def test_shuffling_keeps_every_tensors_values_and_moves_them(null):
    tensors, facts = arrays()
    derived = derive(null, tensors, facts, 7, 0)
    assert derived.keys() == tensors.keys()
    for name, tensor in tensors.items():
        assert Counter(derived[name].ravel().tolist()) == Counter(tensor.ravel().tolist()), name
        if name == "word_embeddings" and null == "permuted_keep_embeddings":
            assert np.array_equal(derived[name], tensor)
        else:
            assert (derived[name] != tensor).mean() > 0.7, name


@pytest.mark.parametrize("null", SHUFFLES)
def test_shuffling_knows_neither_rows_nor_columns(null):
    before = np.arange(2400, dtype=np.float32).reshape(40, 60)
    after = derive(null, some(a=before), {}, 7, 0)["a"].astype(int)
    # Of entries that stay in their row or column there are no more than chance keeps there.
    assert (after // 60 == np.arange(40)[:, None]).mean() == pytest.approx(1 / 40, abs=0.02)
    assert (after % 60 == np.arange(60)).mean() == pytest.approx(1 / 60, abs=0.02)
    # Nor do neighbours stay together.
    assert (np.diff(after) == 1).mean() < 0.01


@pytest.mark.parametrize("null", SHUFFLES)
def test_tensors_are_shuffled_each_by_itself(null):
    same = np.arange(600, dtype=np.float32).reshape(20, 30)
    derived = derive(null, some(a=same, b=same), {}, 7, 0)
    assert (derived["a"] == derived["b"]).mean() < 0.02


def test_an_entry_falls_into_every_place_equally_often():
    tensor = {"a": np.arange(6, dtype=np.float32).reshape(2, 3)}
    places = [derive("permuted", tensor, {}, 7, draw)["a"].argmax() for draw in range(1200)]
    assert is_fair(np.bincount(places, minlength=6))


@pytest.fixture(scope="module", params=[0, 3, None])
def initialised(request, tmp_path_factory):
    """A model as transformers draws it, frozen, and an untrained null of a trained one like it."""
    folder = tmp_path_factory.mktemp("initialised")
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=150,
        hidden_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=96,
        max_position_embeddings=16,
        initializer_range=0.05,
        pad_token_id=request.param,
    )
    BertModel(config).save_pretrained(folder)
    shutil.copy(DATA / "tiny-wide" / "tokenizer.json", folder)
    tensors, facts = convert(folder)
    drawn = {name: tensor.numpy() for name, tensor in tensors.items()}
    trained = {name: 7 + 3 * tensor for name, tensor in drawn.items()}
    return drawn, derive("untrained", trained, facts, 7, 0), request.param


def test_an_untrained_model_is_zero_and_one_where_transformers_is(initialised):
    theirs, ours, _ = initialised
    assert ours.keys() == theirs.keys()
    for name in theirs:
        for constant in (0, 1):
            expected = theirs[name] == constant
            np.testing.assert_array_equal(ours[name] == constant, expected, err_msg=name)
        if name.endswith((".bias", ".gain")):
            assert (ours[name] == name.endswith(".gain")).all(), name


def test_an_untrained_model_is_spread_as_transformers_spreads_it(initialised):
    theirs, ours, _ = initialised
    compared = 0
    for name in theirs:
        if name.endswith((".bias", ".gain")):
            continue
        a, b = (values[name][values[name] != 0].astype(np.float64) for values in (ours, theirs))
        assert abs(a.mean() - b.mean()) < 5 * 0.05 * np.sqrt(2 / a.size), name
        assert abs(a.std() - b.std()) < 5 * 0.05 / np.sqrt(a.size), name
        assert stats.kstest(a / 0.05, "norm").pvalue > 1e-4, name
        compared += 1
    assert compared == 3 + 2 * 6


def test_only_the_padding_entry_has_no_embedding(initialised):
    _, ours, padding = initialised
    without = np.flatnonzero((ours["word_embeddings"] == 0).all(axis=1))
    assert without.tolist() == ([] if padding is None else [padding])


def test_tensors_of_an_untrained_model_are_drawn_apart():
    derived = derive("untrained", *arrays(), 7, 0)
    same_shape = [a for name, a in derived.items() if a.shape == (24, 24)]
    assert len({a.tobytes() for a in same_shape}) == len(same_shape) == 8
    assert np.abs(np.corrcoef([a.ravel() for a in same_shape]) - np.eye(8)).max() < 0.25


@pytest.mark.parametrize("name", TINY)
def test_a_rotated_basis_is_added_and_nothing_else_changed(name):
    tensors, facts = arrays(name)
    derived = derive("rotated_basis", tensors, facts, 7, 0)
    assert_alike({k: a for k, a in derived.items() if not k.startswith("basis.")}, tensors)
    widths = {"output": int(facts["hidden"]), "intermediate": int(facts["intermediate"])}
    layers = range(1, int(facts["layers"]) + 1)
    shapes = {f"basis.{site}.{la}": (w, w) for site, w in widths.items() for la in layers}
    bases = {k: a for k, a in derived.items() if k.startswith("basis.")}
    assert {k: a.shape for k, a in bases.items()} == shapes
    for basis in bases.values():
        exact = basis.astype(np.float64)
        np.testing.assert_allclose(exact @ exact.T, np.eye(len(basis)), atol=1e-5)
    # Layers and sites are rotated apart.
    corners = {a[0, :8].tobytes() for a in bases.values()}
    assert len(corners) == len(bases)


@pytest.fixture(scope="module")
def rotations():
    """Many rotations of a space of five dimensions."""
    draw = np.random.default_rng(0)
    return np.stack([random_rotation(5, draw) for _ in range(4000)]).astype(np.float64)


def test_rotations_have_the_traces_of_uniform_ones(rotations):
    # Diaconis and Evans (2001): tr Qʲ of an orthogonal matrix has mean 0 (j odd) or 1 (j even).
    trace = np.trace(rotations, axis1=1, axis2=2)
    squared = np.trace(rotations @ rotations, axis1=1, axis2=2)
    for values, mean in ((trace, 0), (trace**2, 1), (squared, 1), (trace**4, 3)):
        assert abs(values.mean() - mean) < 4 * stats.sem(values)
    assert is_fair(np.bincount((np.linalg.det(rotations) > 0).astype(int)))


@pytest.mark.parametrize("of", ["rows", "columns"])
def test_a_rotated_vector_lies_anywhere_on_the_sphere(rotations, of):
    turned = rotations if of == "rows" else rotations.transpose(0, 2, 1)
    unit = np.array([0.5, -0.1, 0.7, 0.3, -0.4]) / np.linalg.norm([0.5, -0.1, 0.7, 0.3, -0.4])
    # Archimedes in five dimensions: (t + 1) / 2 of a coordinate t is Beta((5 − 1)/2, (5 − 1)/2).
    for coordinate in (turned @ unit).T:
        assert stats.kstest((coordinate + 1) / 2, stats.beta(2, 2).cdf).pvalue > 0.001
    for entries in (rotations[:, 0, 0], rotations[:, 4, 4], rotations[:, 2, 1]):
        assert stats.kstest((entries + 1) / 2, stats.beta(2, 2).cdf).pvalue > 0.001


class Rotated(NamedTuple):
    """A tiny model read in a rotated basis, and what it is made of."""

    model: FrozenTransformer
    bases: dict
    plain: FrozenTransformer
    name: str
    tensors: dict
    facts: dict


@pytest.fixture(scope="module", params=TINY)
def rotated(request):
    tensors, facts = arrays(request.param)
    derived = derive("rotated_basis", tensors, facts, 7, 0)
    bases = {
        Tap(site, layer): torch.from_numpy(derived[f"basis.{site}.{layer}"]).double()
        for site in SITES
        for layer in range(1, int(facts["layers"]) + 1)
    }
    models = frozen_of(derived, facts), frozen_of(tensors, facts)
    return Rotated(models[0], bases, models[1], request.param, tensors, facts)


def inputs_for(model, n):
    generator = torch.Generator().manual_seed(3)
    return torch.randn(n, model.hidden, generator=generator, dtype=torch.float64)


def requests(model):
    """All that may be read: one tap, all of them, a site, some neurons, the deepest or not."""
    everything = [Tap(site, layer) for site in SITES for layer in range(1, model.layers + 1)]
    some, few = torch.tensor([3, 0, 11]), torch.tensor([7])
    yield from ([tap] for tap in everything)
    yield from ({tap: some} for tap in everything)
    yield everything
    yield [tap for tap in everything if tap.site == "intermediate"]
    yield {tap: some if tap.site == "output" else few for tap in everything}
    yield {Tap("output", 1): few, Tap("intermediate", model.layers): some}
    yield {Tap("intermediate", 1): slice(None), Tap("output", model.layers): some}


def test_directions_are_read_off_the_states_that_transformers_computes(rotated):
    model, bases, plain, name, *_ = rotated
    _, whole = load_tiny(name)
    x = inputs_for(model, 6)
    states = {
        tap: reference.activations(whole, x, *tap, FRAME).detach() @ basis.T
        for tap, basis in bases.items()
    }
    for tap, value in plain.activations(x, list(bases)).items():
        torch.testing.assert_close(value @ bases[tap].T, states[tap], rtol=1e-10, atol=1e-11)
    for wanted in requests(model):
        found = model.activations(x, wanted)
        assert set(found) == set(wanted)
        for tap, value in found.items():
            indices = wanted[tap] if isinstance(wanted, dict) else slice(None)
            torch.testing.assert_close(value, states[tap][:, indices], rtol=1e-10, atol=1e-11)


@pytest.mark.parametrize("read", ["cls", "sep"])
def test_directions_are_read_at_the_other_positions_too(rotated, read):
    model, bases, _, _, tensors, facts = rotated
    there = frozen_of(derive("rotated_basis", tensors, facts, 7, 0), facts, read=read)
    plain = frozen_of(tensors, facts, read=read)
    x = inputs_for(model, 4)
    expected = plain.activations(x, list(bases))
    for tap, value in there.activations(x, list(bases)).items():
        torch.testing.assert_close(value, expected[tap] @ bases[tap].T, rtol=1e-10, atol=1e-11)


def identity(facts):
    """The model's own basis, written down as one."""
    widths = {"output": int(facts["hidden"]), "intermediate": int(facts["intermediate"])}
    return {
        f"basis.{site}.{layer}": np.eye(width, dtype=np.float32)
        for site, width in widths.items()
        for layer in range(1, int(facts["layers"]) + 1)
    }


def test_the_models_own_basis_changes_no_number(rotated):
    _, bases, plain, _, tensors, facts = rotated
    same = frozen_of(tensors | identity(facts), facts)
    x = inputs_for(plain, 6)
    for wanted in requests(plain):
        expected = plain.activations(x, wanted)
        for tap, value in same.activations(x, wanted).items():
            torch.testing.assert_close(value, expected[tap], rtol=1e-12, atol=1e-12)
    for tap in bases:
        w = signed(plain, tap)
        torch.testing.assert_close(same.ceiling(tap, w), plain.ceiling(tap, w), rtol=1e-12, atol=0)


def test_a_basis_of_one_tap_leaves_the_others_alone(rotated):
    _, bases, plain, _, tensors, facts = rotated
    x = inputs_for(plain, 4)
    expected = plain.activations(x, list(bases))
    for tap, basis in bases.items():
        one = {f"basis.{tap.site}.{tap.layer}": basis.float().numpy()}
        for other, value in frozen_of(tensors | one, facts).activations(x, list(bases)).items():
            turned = expected[other] @ basis.T if other == tap else expected[other]
            torch.testing.assert_close(value, turned, rtol=1e-10, atol=1e-11)


def signed(model, tap):
    """Weights to bound: every neuron, its opposite, groups, and weights of both signs."""
    generator = torch.Generator().manual_seed(5)
    width = model.width(tap.site)
    one = torch.eye(width, dtype=torch.float64)
    group = torch.rand(4, width, generator=generator, dtype=torch.float64)
    both = torch.randn(8, width, generator=generator, dtype=torch.float64)
    return torch.cat([one, -one, group, -group, both])


def test_no_input_takes_a_direction_past_its_ceiling(rotated):
    model, bases, *_ = rotated
    scale = torch.logspace(-2, 4, 4000, dtype=torch.float64)[:, None]
    x = torch.cat([scale * inputs_for(model, 4000), model.word_embeddings])
    found = model.activations(x, list(bases))
    for tap in bases:
        w = signed(model, tap)
        reached = (found[tap] @ w.T).max(dim=0).values
        assert (reached <= model.ceiling(tap, w) + 1e-9).all()


def test_an_output_directions_ceiling_is_reached_by_a_normalised_state(rotated):
    model, bases, _, _, tensors, _ = rotated
    for tap, basis in bases.items():
        if tap.site == "intermediate":
            continue
        norm = f"block.{tap.layer}.output_norm"
        gain, bias = (tensors[f"{norm}.{part}"].astype(np.float64) for part in ("gain", "bias"))
        w = signed(model, tap)
        along = (w @ basis).numpy() * gain
        along = along - along.mean(axis=1, keepdims=True)
        n = np.sqrt(len(gain)) * along / np.linalg.norm(along, axis=1, keepdims=True)
        reached = ((gain * n + bias) @ basis.numpy().T * w.numpy()).sum(axis=1)
        np.testing.assert_allclose(model.ceiling(tap, w).numpy(), reached, rtol=1e-9, atol=1e-9)


def test_an_intermediate_directions_ceiling_adds_up_what_single_neurons_can_do(rotated):
    model, bases, plain, *_ = rotated
    lowest = minimize_scalar(lambda a: a * (1 + erf(a / np.sqrt(2))) / 2, bounds=(-3, 0)).fun
    for tap, basis in bases.items():
        if tap.site == "output":
            continue
        width = plain.width(tap.site)
        highest = plain.ceiling(tap, torch.eye(width, dtype=torch.float64)).numpy()
        w = signed(model, tap)
        share = (w @ basis).numpy()
        expected = np.where(share > 0, share * highest, share * lowest).sum(axis=1)
        np.testing.assert_allclose(model.ceiling(tap, w).numpy(), expected, atol=1e-5)


def test_nothing_takes_an_intermediate_neurons_opposite_past_its_lowest_point(rotated):
    plain, tap = rotated.plain, Tap("intermediate", 1)
    bound = plain.ceiling(tap, -torch.eye(plain.width(tap.site), dtype=torch.float64))
    assert bound.numpy() == pytest.approx(0.169971207, abs=1e-6)
    reached = -plain.activations(inputs_for(plain, 2000), [tap])[tap].min(dim=0).values
    assert (reached > 0.99 * bound).any()


def mixed(model):
    last = model.layers
    return [
        [("output", 1, 3)],
        [("intermediate", last, 7)],
        [("output", last, 0)],
        [("output", 1, 1), ("output", last, 5), ("intermediate", 1, 2), ("intermediate", last, 9)],
    ]


def test_the_mean_of_directions_has_the_value_and_gradient_of_their_sum(rotated):
    model, bases, plain, *_ = rotated
    x = inputs_for(model, 4)
    value, gradient = mean_of(mixed(model), model).value_and_gradient(model, x)
    for row, group in enumerate(mixed(model)):
        e = x[row : row + 1].clone().requires_grad_()
        states = plain.activations(e, list(bases))
        parts = [states[site, la][0] @ bases[site, la][index] for site, la, index in group]
        expected = sum(parts) / len(parts)
        (slope,) = torch.autograd.grad(expected, e)
        assert value[row].item() == pytest.approx(expected.item(), rel=1e-10, abs=1e-12)
        torch.testing.assert_close(gradient[row], slope[0], rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("solver", ["paper", "sphere", "lbfgs"])
def test_ascent_raises_directions_and_stays_below_their_ceilings(rotated, solver):
    model = rotated.model
    groups = [[(site, layer, 1)] for site in SITES for layer in range(1, model.layers + 1)]
    groups += mixed(model)
    _, start = starts_for(model, len(groups))
    optima = ascend(model, groups, start, 40, solver=solver)
    objectives = mean_of(groups, model)
    before, _ = objectives.value_and_gradient(model, start)
    after, _ = objectives.value_and_gradient(model, optima.embedding)
    if solver != "paper":
        assert (after > before).all()
    assert (after > before).float().mean() > 0.7
    assert (after <= objectives.ceiling(model) + 1e-9).all()


STRATA = np.array(list("aaaaaaabbbbbccdddddddddd"))
GROUP = [0, 1, 5, 8, 12, 13, 14, 15, 16, 17]  # three of a, one of b, both c, four of d


def test_a_matched_group_has_the_strata_of_its_group_and_nobody_twice():
    draw = np.random.default_rng(0)
    for _ in range(50):
        found = matched_group(GROUP, STRATA, draw)
        assert len(set(found.tolist())) == len(found) == len(GROUP)
        assert Counter(STRATA[found]) == Counter(STRATA[GROUP]) == dict(a=3, b=1, c=2, d=4)


@pytest.mark.parametrize("labels", [lambda s: s, lambda s: np.unique(s, return_inverse=True)[1]])
def test_a_group_that_is_its_whole_stratum_is_drawn_whole(labels):
    strata = labels(STRATA)
    for label in np.unique(strata):
        group = np.flatnonzero(strata == label)
        found = matched_group(group, strata, np.random.default_rng(1))
        assert sorted(found) == group.tolist()


def test_every_neuron_of_a_stratum_is_drawn_equally_often_the_groups_own_too():
    draw, times = np.random.default_rng(2), 3000
    counts = np.zeros(len(STRATA))
    for _ in range(times):
        counts[matched_group(GROUP, STRATA, draw)] += 1
    assert (counts[STRATA == "c"] == times).all()
    for label, drawn in (("a", 3), ("b", 1), ("d", 4)):
        here = counts[np.isin(STRATA, label)]
        expected = times * drawn / len(here)
        # Drawn without return, counts spread less, by (N − k) / (N − 1).
        spread = (len(here) - drawn) / (len(here) - 1)
        found = ((here - expected) ** 2 / expected).sum() / spread
        assert 0.001 < stats.chi2.sf(found, len(here) - 1) < 0.999


def test_groups_are_drawn_anew_from_the_generator_and_the_same_from_the_same():
    first, second = (np.random.default_rng(3) for _ in range(2))
    found = [matched_group(GROUP, STRATA, first).tolist() for _ in range(5)]
    assert len({tuple(group) for group in found}) > 3
    assert [matched_group(GROUP, STRATA, second).tolist() for _ in range(5)] == found


@pytest.mark.parametrize(("n", "parts"), [(20, 10), (23, 10), (9, 2), (5, 5), (7, 1), (3, 10)])
def test_strata_are_equal_parts_from_the_lowest_to_the_highest(n, parts):
    values = np.random.default_rng(n).normal(size=n)
    found = quantile_strata(values, parts)
    assert np.issubdtype(found.dtype, np.integer)
    assert found.min() == 0 and found.max() < parts
    sizes = np.bincount(found, minlength=parts)
    assert sizes.max() - sizes.min() <= 1
    assert (np.diff(found[np.argsort(values)]) >= 0).all()


def test_strata_of_what_is_tied_or_nothing_are_still_equal():
    assert np.bincount(quantile_strata([1.0] * 12, 4)).tolist() == [3, 3, 3, 3]
    assert quantile_strata([], 4).tolist() == []


@pytest.mark.parametrize("n", range(2, 51))
def test_of_a_derangement_everybody_gets_another_and_each_once(n):
    draw = np.random.default_rng(n)
    for _ in range(5):
        other = derangement(n, draw)
        assert (other != np.arange(n)).all()
        assert sorted(other) == list(range(n))


def test_a_derangement_is_any_single_cycle_equally_often():
    draw, seen = np.random.default_rng(0), Counter()
    for _ in range(3000):
        other = derangement(5, draw)
        place, steps = other[0], 1
        while place != 0:
            place, steps = other[place], steps + 1
        assert steps == 5
        seen[tuple(other.tolist())] += 1
    assert len(seen) == 24
    assert is_fair(list(seen.values()))


@pytest.mark.parametrize("length", [1, 2, 7, 12])
@pytest.mark.parametrize("count", [1, 2, 5, 7, 30])
@pytest.mark.parametrize("draws", [1, 2, 5, 11])
def test_over_all_draws_every_item_is_dealt_equally_often(length, count, draws):
    items = [f"item {place}" for place in range(length)]
    hands = [dealt(items, draw, count) for draw in range(draws)]
    for hand in hands:
        assert len(hand) == len(set(hand)) == min(count, length)
        assert set(hand) <= set(items)
    seen = Counter(item for hand in hands for item in hand)
    times = [seen[item] for item in items]
    assert max(times) - min(times) <= 1


def test_items_are_dealt_in_turn_from_whatever_holds_them():
    assert dealt(list("abcde"), 0, 2) == ["a", "b"]
    assert dealt(list("abcde"), 2, 2) == ["e", "a"]
    assert dealt(np.array([4, 8, 9]), 1, 2) == [9, 4]
    assert dealt([], 3, 2) == []
