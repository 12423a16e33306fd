"""Ray Tune's own PBT on the noisy quadratic model: the peer of ``perturb`` in `search`.

    python -m experiments.populations.ray_tune --seeds 8

Needs ``ray[tune]``. 8 members, 50 epochs, compared every 5, quantile and resampling as Ray's
defaults (0.25, 0.25), synchronous. Rows of results/ray-tune.csv are kept: log10 of the lowest final
loss, rates out of bounds, wall seconds.
"""

from __future__ import annotations

import argparse
import csv
import pickle
import random
import time
from pathlib import Path
from typing import Any

import numpy as np

from experiments.populations.quadratic import EPOCHS, HIGH, LOW, NoisyQuadratic

RESULTS = Path(__file__).parent / "results" / "ray-tune.csv"
MEMBERS, INTERVAL = 8, 5


def search(seed: int) -> tuple[float, int]:
    """Returns log10 of the lowest final loss, and how many rates were out of bounds."""
    import ray
    from ray import tune
    from ray.tune.schedulers import PopulationBasedTraining

    class Member(tune.Trainable):  # type: ignore[misc]
        def setup(self, config: dict[str, Any]) -> None:
            self.problem, self.state = NoisyQuadratic(seed), None

        def step(self) -> dict[str, float]:
            self.state, value, _ = self.problem.advance(self.state, self.config)
            return {"loss": value, "rate": self.config["lr"]}

        def save_checkpoint(self, folder: str) -> None:
            Path(folder, "state").write_bytes(pickle.dumps(self.state))

        def load_checkpoint(self, folder: str) -> None:
            self.state = pickle.loads(Path(folder, "state").read_bytes())

        def reset_config(self, config: dict[str, Any]) -> bool:
            self.config = config
            return True

    scheduler = PopulationBasedTraining(
        time_attr="training_iteration",
        metric="loss",
        mode="min",
        perturbation_interval=INTERVAL,
        hyperparam_mutations={"lr": tune.loguniform(LOW, HIGH)},
        synch=True,
    )
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, ignore_reinit_error=True)
    np.random.seed(seed)  # noqa: NPY002  # Ray draws from the global generators
    random.seed(seed)
    tuner = tune.Tuner(
        tune.with_resources(Member, {"cpu": 0.25}),
        param_space={"lr": tune.loguniform(LOW, HIGH)},
        tune_config=tune.TuneConfig(
            scheduler=scheduler, num_samples=MEMBERS, reuse_actors=True, max_concurrent_trials=8
        ),
        run_config=tune.RunConfig(
            stop={"training_iteration": EPOCHS},
            verbose=0,
            checkpoint_config=tune.CheckpointConfig(checkpoint_frequency=INTERVAL),
        ),
    )
    found = tuner.fit()
    rates = [rate for one in found for rate in one.metrics_dataframe["rate"]]
    outside = sum(not LOW <= rate <= HIGH for rate in set(rates))
    return float(np.log10(min(one.metrics["loss"] for one in found))), outside


def main() -> None:
    """Runs the seeds that are missing, and prints mean and standard error."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=8)
    given = parser.parse_args()
    known = list(csv.DictReader(RESULTS.open())) if RESULTS.exists() else []
    for seed in range(given.seeds):
        if any(row["seed"] == str(seed) for row in known):
            continue
        began = time.perf_counter()
        value, outside = search(seed)
        wall = round(time.perf_counter() - began, 1)
        row = {"seed": seed, "value": round(value, 4), "outside": outside, "wall": wall}
        known.append({name: str(each) for name, each in row.items()})
        with RESULTS.open("a", newline="") as file:
            writer = csv.DictWriter(file, list(row))
            if file.tell() == 0:
                writer.writeheader()
            writer.writerow(row)
    values = np.array([float(row["value"]) for row in known])
    error = values.std(ddof=1) / len(values) ** 0.5
    print(f"ray tune  {len(values)} seeds  {values.mean():+.3f} ± {error:.3f}")


if __name__ == "__main__":
    main()
