"""The RNN-T loss against a sum over every path, written out."""

import itertools

import pytest
import torch

from gigastt_lab.training.lattice import packed_rnnt_loss


def loss_over_all_paths(logits, labels, blank):
    """Negative log of the summed probability of every path; logits (T, U + 1, V), float64."""
    n_frames, width, _ = logits.shape
    log_probabilities = logits.log_softmax(dim=-1)
    totals = []
    for label_steps in itertools.combinations(range(n_frames - 1 + len(labels)), len(labels)):
        t = u = 0
        total = torch.zeros((), dtype=torch.float64)
        for step in range(n_frames - 1 + len(labels)):
            if step in label_steps:
                total = total + log_probabilities[t, u, labels[u]]
                u += 1
            else:
                total = total + log_probabilities[t, u, blank]
                t += 1
        totals.append(total + log_probabilities[n_frames - 1, width - 1, blank])
    return -torch.logsumexp(torch.stack(totals), dim=0)


@pytest.mark.parametrize(
    "shapes",
    [[(1, 0)], [(1, 2)], [(4, 0)], [(5, 3)], [(4, 2), (2, 3), (3, 0)]],
    ids=str,
)
def test_loss_and_gradient_equal_the_sum_over_paths(shapes):
    n_tokens, blank = 6, 5
    generator = torch.Generator().manual_seed(1)
    rows = sum(t * (u + 1) for t, u in shapes)
    logits = torch.randn(rows, n_tokens, generator=generator, dtype=torch.float64)
    labels = [torch.randint(0, blank, (u,), generator=generator) for _, u in shapes]

    packed = logits.float().requires_grad_()
    next_labels = torch.cat(
        [
            torch.cat([row, torch.zeros(1, dtype=torch.long)]).repeat(t)
            for (t, _), row in zip(shapes, labels, strict=True)
        ]
    )
    n_frames, n_labels = (torch.tensor(column) for column in zip(*shapes, strict=True))
    loss = packed_rnnt_loss(packed, next_labels, n_frames, n_labels, blank)
    (3.0 * loss).backward()

    exact = logits.clone().requires_grad_()
    parts = exact.split([t * (u + 1) for t, u in shapes])
    expected = sum(
        loss_over_all_paths(part.view(t, u + 1, n_tokens), row.tolist(), blank)
        for part, (t, u), row in zip(parts, shapes, labels, strict=True)
    )
    (3.0 * expected).backward()

    assert loss.item() == pytest.approx(expected.item(), rel=1e-5)
    torch.testing.assert_close(packed.grad.double(), exact.grad, atol=1e-5, rtol=1e-4)
