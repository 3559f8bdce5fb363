"""Statistics of counts and times: intervals that hold on small and large sets, paired differences.

Lives here: the jackknife with Student's t, exact bounds, the bootstrap, percentiles, Holm's correction.
May import: `show`.
Public: `intervals.interval`, `intervals.paired_difference`, `intervals.statistic_interval`,
`options.Bootstrap`, `holm.holm`.
"""
