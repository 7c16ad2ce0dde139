#!/usr/bin/env bash
# statsmodels 0.15.0: MixedLM warns that "The MLE may be on the boundary of the parameter space" wherever the variance of a
# random effect is below 0.01, in whatever unit the data has. The same data times 100 is fitted to the same answer without a
# word. Logarithms of times, volts and fractions have such variances without being near any boundary: here the effect is four
# times the variance of what is left, found in 30 groups. Bring data to a unit in which the effect is about 1 first.
# Installs from PyPI into a temporary folder.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check statsmodels==0.15.0 numpy==2.4.6
cat > "$folder/seen.py" <<'PYTHON'
import warnings

import numpy as np
from statsmodels.regression.mixed_linear_model import MixedLM

random = np.random.default_rng(0)
groups = np.repeat(np.arange(30), 40)
values = 0.05 * random.standard_normal(30)[groups] + 0.02 * random.standard_normal(groups.size)


def fitted(unit):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = MixedLM(unit * values, np.ones((groups.size, 1)), groups).fit(reml=True)
    told = [str(each.message) for each in caught if "boundary" in str(each.message)]
    return float(found.cov_re[0, 0]) / unit**2, float(found.scale) / unit**2, told


small, large = fitted(1.0), fitted(100.0)
for unit, (between, within, told) in ((1, small), (100, large)):
    print(f"data times {unit}: variance of groups {between:.6f}, of what is left {within:.6f}, warnings: {told}")
assert np.allclose(small[:2], large[:2], rtol=1e-3)
assert small[0] > 3.0 * small[1]
assert small[2] and not large[2]
print("As found: the warning depends on the unit.")
PYTHON
"$folder/venv/bin/python" "$folder/seen.py"
