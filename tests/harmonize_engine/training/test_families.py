import pytest
import torch

from harmonize_engine import Curves
from harmonize_engine.models.rendering import apply_curves
from harmonize_engine.training import colour, darkroom, families, filters

generator = torch.Generator().manual_seed(0)
images = torch.rand((6, 3, 40, 48), generator=generator) * 0.6 + 0.2
masks = (torch.rand((6, 1, 40, 48), generator=generator) > 0.5).float()
every_family = pytest.mark.parametrize("family", range(4), ids=families.names)


def made(family, magnitude, seed=1):
    rows = torch.full((6,), family)
    amount = torch.full((6,), float(magnitude))
    return families.composite(
        images, masks, rows, amount, images.flip(0), masks.flip(0), torch.Generator().manual_seed(seed)
    )


@every_family
def test_magnitude_0_leaves_a_photograph_bit_for_bit(family):
    assert torch.equal(made(family, 0), images)


@every_family
def test_the_background_is_never_touched(family):
    composite = made(family, 1)
    assert torch.equal(composite * (1 - masks), images * (1 - masks))
    assert ((composite - images).abs() * masks).mean() > 0.002
    assert composite.min() >= 0 and composite.max() <= 1


@every_family
def test_larger_magnitudes_change_more(family):
    changes = [float((made(family, amount) - images).abs().mean()) for amount in (0.1, 0.4, 1.0)]
    assert changes == sorted(changes)


@every_family
def test_the_same_seed_makes_the_same_composite(family):
    assert torch.equal(made(family, 1, seed=7), made(family, 1, seed=7))
    assert not torch.equal(made(family, 1, seed=7), made(family, 1, seed=8))


@pytest.mark.parametrize("apply", filters.restore_order, ids=lambda apply: apply.__name__)
def test_each_filter_leaves_a_picture_alone_at_0_and_moves_it_otherwise(apply):
    assert apply(images, torch.zeros(6)) == pytest.approx(images, abs=2e-5)
    for argument in (-0.3, 0.3):
        changed = apply(images, torch.full((6,), argument))
        assert (changed - images).abs().mean() > 0.005
        assert torch.isfinite(changed).all()


def test_filters_go_the_way_their_names_say():
    plus = torch.full((6,), 0.3)
    warm = filters.temperature(images, plus).mean((0, 2, 3)) / images.mean((0, 2, 3))
    assert warm[0] > 1 > warm[2]
    assert filters.brightness(images, plus).mean() > images.mean()
    assert filters.contrast(images, plus).std() > images.std()
    assert filters.shadow(images, plus).mean() > images.mean()
    spread = images.amax(1) - images.amin(1)
    saturated = filters.saturation(images, plus)
    assert (saturated.amax(1) - saturated.amin(1)).mean() > spread.mean()


def test_lab_and_back_is_the_same_colour():
    assert colour.from_lab(colour.lab(images)) == pytest.approx(images, abs=1e-4)


def test_lab_of_known_colours():
    """White is L = 100; sRGB red is about (53.2, 80.1, 67.2)."""
    white, red = torch.ones(1, 3, 1, 1), torch.tensor([1.0, 0, 0]).view(1, 3, 1, 1)
    assert colour.lab(white).flatten().tolist() == pytest.approx([100, 0, 0], abs=0.02)
    assert colour.lab(red).flatten().tolist() == pytest.approx([53.24, 80.09, 67.20], abs=0.1)


def test_curves_in_training_are_curves_in_the_engine():
    knots = torch.rand((6, 3, 33), generator=generator)
    ours = apply_curves(images, knots)[2].permute(1, 2, 0).double().numpy()
    theirs = Curves.uniform(knots[2].double().numpy()).apply(images[2].permute(1, 2, 0).double().numpy())
    assert ours == pytest.approx(theirs, abs=1e-5)


full = torch.ones(6)


def random():
    return torch.Generator().manual_seed(5)


def test_film_like_curves_and_split_toning_rise_and_start_from_the_identity():
    identity = torch.linspace(0, 1, darkroom.knots).expand(6, 3, -1)
    for make in (darkroom._film, darkroom._split):
        curves = make(full, random())
        assert (curves.diff(dim=2) >= 0).all() and curves.min() >= 0 and curves.max() <= 1
        assert (curves - identity).abs().max() > 0.03
        assert torch.allclose(make(torch.zeros(6), random()), identity, atol=1e-6)


def test_split_toning_tints_shadows_and_highlights_without_making_either_brighter():
    tints = darkroom._split(full, random()) - torch.linspace(0, 1, darkroom.knots)
    inner = tints[..., 6:-6]  # the ends are clipped, which is no tint
    assert inner.abs().max() > 0.02 and inner.mean(1).abs().max() < 0.01


def test_vibrance_spares_vivid_colours(monkeypatch):
    monkeypatch.setitem(darkroom.ranges, "saturation", 0.0)
    colours = torch.tensor([[0.55, 0.5, 0.45], [0.95, 0.4, 0.05]]).view(2, 3, 1, 1)  # dull, vivid
    after = torch.stack([darkroom._vivid(colours, full[:2], torch.Generator().manual_seed(seed)) for seed in range(12)])
    spread = (after.amax(2) - after.amin(2)) / (colours.amax(1) - colours.amin(1)) - 1
    dull, vivid = spread.abs().mean(0).flatten().tolist()
    assert dull > 0.2 and vivid < 0.1


def test_haze_moves_all_colours_towards_one_and_light_comes_from_a_side():
    veiled = darkroom._haze(images, full, random())
    assert any(v.std() < 0.97 * i.std() for v, i in zip(veiled, images, strict=True))
    even = torch.full((6, 3, 40, 48), 0.4)
    box = torch.zeros(6, 1, 40, 48)
    box[:, :, 10:30, 12:36] = 1
    lit = darkroom._side_light(even, box, full, random()) - even
    left, right = lit[..., 12:24].mean((1, 2, 3)), lit[..., 24:36].mean((1, 2, 3))
    top, bottom = lit[..., 10:20, 12:36].mean((1, 2, 3)), lit[..., 20:30, 12:36].mean((1, 2, 3))
    assert torch.maximum((left - right).abs(), (top - bottom).abs()).min() > 0.005
    assert lit[:, :, 10:30, 12:36].mean((1, 2, 3)).abs().max() < 0.03  # one side gains what the other loses


def test_no_tone_or_tint_of_ours_mixes_channels_as_the_held_out_families_do():
    """A grey picture stays one curve per channel: equal values stay equal, whatever the curves; only light is local."""
    grey = torch.linspace(0.1, 0.9, 48).expand(6, 3, 40, 48)
    for make in (darkroom._film, darkroom._split):
        curved = apply_curves(grey, make(full, random()))
        assert torch.allclose(curved, curved[:, :, :1].expand_as(curved))
        swapped = grey.clone()
        swapped[:, 0] = 0.5  # what red becomes must not change green and blue
        assert torch.equal(apply_curves(swapped, make(full, random()))[:, 1:], curved[:, 1:])
