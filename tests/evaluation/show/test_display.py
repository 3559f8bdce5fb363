"""Numbers as people read them: intervals that reach beyond 1,000 %, and cells of the page."""

import math

import pandas as pd
import pytest

from evaluation.show.display import estimate, render_html, render_markdown, render_text


@pytest.mark.parametrize(
    ("value", "low", "high", "told"),
    [
        (0.197, 0.0003, 112.0954, "19.70 [0.03, > 1,000]"),
        (6.7472, 0.0016, 28317.79, "674.72 [0.16, > 1,000]"),
        (9.9, 9.0, 10.0, "990.00 [900.00, 1,000.00]"),
        (12.0, 11.0, 13.0, "1,200.00 [1,100.00, 1,300.00]"),  # the value itself is beyond: its ends tell
        (0.0, -40.0, 40.0, "0.00 [< -1,000, > 1,000]"),
        (0.5, 0.1, math.inf, "50.00 [10.00, > 1,000]"),
    ],
)
def test_an_end_beyond_1000_percent_is_only_said_to_be_so(value, low, high, told):
    assert estimate(value, low, high) == told


def test_numbers_that_are_no_shares_are_never_cut():
    assert estimate(159.7, 12.0, 2000.0, scale=1, digits=1) == "159.7 [12.0, 2,000.0]"
    assert estimate(5.0, 4.0, 90.0, scale=1000, digits=0) == "5,000 [4,000, 90,000]"


def test_an_interval_is_set_apart_on_the_page_alone():
    table = pd.DataFrame({"System": ["a [b]"], "WER, %": ["8.39 [7.51, > 1,000]"], "p50": ["12.3 ms"]})
    page = render_html(table, small_ends=True)
    assert '<td class="number">8.39 <span class="ends">[7.51, &gt; 1,000]</span></td>' in page
    assert '<td class="number">12.3 ms</td>' in page
    assert '<th scope="row">a [b]</th>' in page
    assert '<td class="number">8.39 [7.51, &gt; 1,000]</td>' in render_html(table)
    assert "8.39 [7.51, > 1,000]" in render_text(table)
    assert "8.39 \\[7.51, \\> 1,000\\]" in render_markdown(table)
