import pytest
import torch

from subtomo.extraction.normalising import normalise_boxes


@pytest.fixture
def boxes():
    noise = torch.randn(2, 12, 12, 12, generator=torch.Generator().manual_seed(0))
    noise[:, 4:8, 4:8, 4:8] += 20  # a particle
    return 3 * noise + torch.tensor([5.0, -70.0])[:, None, None, None]


def test_none_changes_nothing(boxes):
    assert torch.equal(normalise_boxes(boxes, "none"), boxes)


def test_box(boxes):
    done = normalise_boxes(boxes, "box")
    assert torch.allclose(done.mean((1, 2, 3)), torch.zeros(2), atol=1e-5)
    assert torch.allclose(done.std((1, 2, 3), correction=0), torch.ones(2), atol=1e-5)


def test_outside_the_sphere(boxes):
    done = normalise_boxes(boxes, "outside-sphere")
    axis = (torch.arange(12) - 6) ** 2
    outside = done[:, axis[:, None, None] + axis[:, None] + axis > 36]
    assert torch.allclose(outside.mean(1), torch.zeros(2), atol=1e-5)
    assert torch.allclose(outside.std(1, correction=0), torch.ones(2), atol=1e-5)
    assert (done[:, 4:8, 4:8, 4:8].mean((1, 2, 3)) > 15).all()  # the particle does not count


def test_mean_of_the_edge(boxes):
    done = normalise_boxes(boxes, "edge-mean")
    inner = torch.zeros(12, 12, 12, dtype=torch.bool)
    inner[1:-1, 1:-1, 1:-1] = True
    assert torch.allclose(done[:, ~inner].mean(1), torch.zeros(2), atol=1e-5)
    assert torch.allclose(done.std((1, 2, 3), correction=0), torch.ones(2), atol=1e-5)


@pytest.mark.parametrize("how", ["box", "outside-sphere", "edge-mean"])
def test_a_constant_box_becomes_0(how):
    assert torch.equal(normalise_boxes(torch.full((1, 8, 8, 8), 7.0), how), torch.zeros(1, 8, 8, 8))
