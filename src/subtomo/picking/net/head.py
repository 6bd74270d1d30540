"""What turns the description of a place into scores of classes."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import logsumexp
from torch import Tensor

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Head:
    """Linear scores of background and classes.

    Parameters
    ----------
    weights : (classes + 1, numbers), background first
    bias : (classes + 1,)
    """

    weights: FloatArray
    bias: FloatArray

    def scores(self, numbers: NDArray[np.floating]) -> FloatArray:
        """Score places.

        Parameters
        ----------
        numbers : (n, numbers)

        Returns
        -------
        (classes, n) logarithm of how much more likely a class is than anything else
        """
        logits = self.weights @ np.asarray(numbers, dtype=np.float64).T + self.bias[:, None]
        out = [
            logits[k] - logsumexp(np.delete(logits, k, axis=0), axis=0)
            for k in range(1, len(logits))
        ]
        return np.array(out)

    def tensors(self) -> dict[str, Tensor]:
        """Give what is saved of it."""
        return {
            "head.weights": torch.from_numpy(self.weights.copy()),
            "head.bias": torch.from_numpy(self.bias.copy()),
        }

    @staticmethod
    def of_tensors(tensors: Mapping[str, Tensor]) -> "Head":
        """Make it of what was saved."""
        return Head(tensors["head.weights"].numpy(), tensors["head.bias"].numpy())


def fit_head(
    numbers: FloatArray,
    label: NDArray[np.int64],
    weight: FloatArray,
    *,
    n_classes: int,
    stiffness: float,
    prior: Head | None = None,
    spread: FloatArray | None = None,
) -> tuple[Head, float]:
    """Fit by logistic regression, all classes with the same weight in all.

    Parameters
    ----------
    numbers : (n, numbers)
    label : (n,) 0 for background, else the number of the class
    weight : (n,) within its class
    n_classes : without background
    stiffness : how much large weights cost, of numbers with standard deviation 1
    prior : weights that cost nothing instead of 0
    spread : (numbers, numbers) covariance that counts as 1; None: that of each number alone

    Returns
    -------
    the head, and its loss without the cost of the weights
    """
    mean = numbers.mean(axis=0)
    if spread is None:
        spread = np.diag((numbers.std(axis=0) + 1e-6) ** 2)
    root = np.linalg.cholesky(spread)
    whitening = np.linalg.inv(root)
    scaled = (numbers - mean) @ whitening.T
    shares = np.array([weight[label == k].sum() for k in range(n_classes + 1)])
    share = weight / shares[label] / (n_classes + 1)
    n, width = scaled.shape
    wanted = np.zeros((n_classes + 1, width)) if prior is None else prior.weights @ root
    is_class = np.zeros((n, n_classes + 1))
    is_class[np.arange(n), label] = 1

    def cost(flat: FloatArray) -> tuple[float, FloatArray]:
        w = flat.reshape(n_classes + 1, width + 1)
        logits = scaled @ w[:, :-1].T + w[:, -1]
        log_p = logits - logsumexp(logits, axis=1, keepdims=True)
        slope = share[:, None] * (np.exp(log_p) - is_class)
        gradient = np.hstack([slope.T @ scaled, slope.sum(axis=0)[:, None]])
        gradient[:, :-1] += 2 * stiffness * (w[:, :-1] - wanted)
        told = -(share[:, None] * is_class * log_p).sum()
        penalty = stiffness * ((w[:, :-1] - wanted) ** 2).sum()
        return float(told + penalty), gradient.ravel()

    found = minimize(
        cost, np.zeros((n_classes + 1) * (width + 1)), jac=True, method="L-BFGS-B"
    ).x.reshape(n_classes + 1, width + 1)
    weights = found[:, :-1] @ whitening
    penalty = stiffness * float(((found[:, :-1] - wanted) ** 2).sum())
    loss = cost(found.ravel())[0] - penalty
    return Head(weights, found[:, -1] - weights @ mean), loss
