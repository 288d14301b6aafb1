import numpy as np
import pytest
import torch

from harmonize_engine import Curves, Harmonization, Shading
from harmonize_engine.models.rendering import render
from harmonize_engine.render import exact
from harmonize_engine.training import loss
from harmonize_engine.training.loss import Attempt, Weights

pictures, mask = torch.rand((2, 3, 32, 32), generator=torch.Generator().manual_seed(0)), torch.ones(2, 1, 32, 32)
identity = torch.linspace(0, 1, 33).expand(2, 3, 33)
sure = torch.full((2, 1), 20.0)
no_light = torch.ones(2, 1, 4, 4)


def attempt(curves, trust=None):
    return Attempt(curves, no_light, sure, trust)


def test_the_objective_is_0_for_a_composite_that_already_fits():
    total, _ = loss.objective(pictures, mask, pictures, attempt(identity))
    assert total == pytest.approx(0, abs=1e-6)
    assert attempt(identity).results(pictures, mask) == pytest.approx(pictures, abs=1e-6)


def test_moving_what_fits_costs_more_than_leaving_what_does_not():
    moved, left = identity * 0.8, pictures * 0.8
    harmed, parts = loss.objective(pictures, mask, pictures, attempt(moved), Weights(harm=1.0, light=0.0))
    unhelped, none = loss.objective(pictures, mask, left, attempt(identity), Weights(harm=1.0, light=0.0))
    assert parts["harm"] > 0 and none["harm"] == 0
    assert harmed > 1.5 * (unhelped - 0.03 * none["harmony"])


def test_trust_learns_to_shrink_what_harms_without_keeping_the_correction_from_learning():
    moved, half = (identity * 0.8).requires_grad_(True), torch.full((2, 1), 0.5, requires_grad=True)
    loss.objective(pictures, mask, pictures, attempt(moved, half))[0].backward()
    assert (half.grad > 0).all()  # less trust is better
    whole = identity * 0.8
    whole.requires_grad_(True)
    loss.objective(pictures, mask, pictures, attempt(whole), Weights(harm=0.0))[0].backward()
    assert torch.allclose(moved.grad, whole.grad)  # as if there were no trust


def test_trust_waits_for_corrections_that_deserve_it():
    half = torch.full((2, 1), 0.5, requires_grad=True)
    moved = (identity * 0.8).requires_grad_(True)
    loss.objective(pictures, mask, pictures, attempt(moved, half), Weights(trusting=True))[0].backward()
    assert half.grad is None and moved.grad.abs().max() > 0


def test_the_adversary_sees_what_trust_leaves_and_teaches_it_nothing():
    none = torch.zeros(2, 1, requires_grad=True)
    results = attempt((identity * 0.5).requires_grad_(True), none).results(pictures, mask)
    assert results.detach() == pytest.approx(pictures, abs=1e-6)
    results.sum().backward()
    assert none.grad is None


def test_the_papers_loss_is_the_absolute_error_over_the_whole_picture():
    half = mask.clone()
    half[..., :16] = 0
    darker = attempt(identity * 0.5)
    total, parts = loss.objective(pictures, half, pictures, darker, Weights(whole_picture=0.92))
    error = (darker.results(pictures, half) - pictures).abs().mean()
    assert total == pytest.approx(float(0.92 * error + 0.03 * parts["harmony"]), rel=1e-5)


def test_the_trainings_renderer_is_the_engines():
    generator = torch.Generator().manual_seed(2)
    picture, soft = torch.rand((1, 3, 48, 64), generator=generator), torch.rand((1, 1, 48, 64), generator=generator)
    curves = torch.rand((1, 3, 33), generator=generator).sort(2).values
    gain = Shading(torch.rand((6, 8), generator=generator).numpy() + 0.5)
    ours = render(picture, soft, curves, torch.from_numpy(np.array(gain.gain)).float()[None, None])
    harmonization = Harmonization((Curves.uniform(curves[0].numpy()), gain), "test", "1")
    theirs = exact(picture[0].permute(1, 2, 0).numpy(), soft[0, 0].numpy(), harmonization)
    assert ours[0].permute(1, 2, 0).numpy() == pytest.approx(theirs, abs=1e-5)
