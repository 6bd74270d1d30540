"""The convnet against what is published of it, and against numbers worked by hand."""

import numpy as np
import pytest
import torch

from subtomo.picking.net.compatible_network import (
    CompatibleNetwork,
    box_loss,
    centre_scores,
    channels_of_slab,
)
from subtomo.picking.net.compatible_scores import score_slabs, tolerant_peaks


def test_it_has_the_published_number_of_parameters_and_a_quarter_of_the_pixels():
    network = CompatibleNetwork()
    assert sum(p.numel() for p in network.parameters()) == 202_273
    assert network(torch.zeros(1, 3, 96, 96)).shape == (1, 24, 24)


def test_slabs_are_added_in_threes_a_third_each_and_clipped():
    slab = torch.arange(9.0).reshape(9, 1, 1)
    assert channels_of_slab(slab).flatten().tolist() == [1, 4, 4]  # 1, 4 and 7, clipped at 4


@pytest.mark.parametrize("kind", ["sum", "max"])
def test_the_loss_of_the_target_itself_is_none_and_positive_weight_counts(kind):
    axis = torch.arange(24) - (48 - 1.5) / 4
    wide = torch.exp(-(axis[:, None] ** 2 + axis**2) / 4)[None]
    yes, no = torch.tensor([True]), torch.tensor([False])
    options = {"target_size": 1.0, "kind": kind}
    exact = box_loss(wide, yes, positive_weight=1.0, **options)
    assert float(exact) == pytest.approx(0, abs=0.1)  # the middle lies between pixels
    assert float(box_loss(torch.zeros_like(wide), no, positive_weight=1.0, **options)) == 0
    missed = box_loss(torch.zeros_like(wide), yes, positive_weight=1.0, **options)
    heavier = box_loss(torch.zeros_like(wide), yes, positive_weight=3.0, **options)
    assert float(heavier / missed) == pytest.approx(0.75 / 0.5)


def test_the_score_of_a_box_is_that_of_its_middle():
    scores = torch.zeros(2, 24, 24)
    scores[0, 11, 12] = 0.9
    scores[1, 2, 2] = 5.0
    assert centre_scores(scores).tolist() == pytest.approx([0.9, 0.0])


def test_scores_at_the_edges_are_emptied():
    network = CompatibleNetwork()
    with torch.no_grad():
        network.layers[6].bias.fill_(1.0)
    scores = score_slabs(network, torch.zeros(17, 128, 136), "cpu")
    assert scores.shape == (5, 32, 34)
    assert scores[1:-1, 12:-12, 12:-12].min() > 0
    assert np.count_nonzero(scores) == 3 * 8 * 10


def test_a_peak_may_have_four_neighbours_as_high():
    score = np.zeros((5, 5, 5), dtype=np.float32)
    score[2, 2, 2] = 1.0
    assert tolerant_peaks(score, 0.5).tolist() == [[2, 2, 2]]
    score[1:4, 1:4, 1:4] = 1.0
    assert [2, 2, 2] not in tolerant_peaks(score, 0.5).tolist()
