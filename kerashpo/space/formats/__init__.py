"""Search spaces as files, and from and to other libraries.

==================  =====================================================================
``definitions``     a plain mapping, as TOML and JSON files hold it; see docs/spaces.md
``hyperopt``        from Hyperopt's expressions
``optuna``          from and to Optuna's distributions
``configspace``     from and to a `ConfigSpace.ConfigurationSpace`
==================  =====================================================================

What the other library has and we have not (an unbounded normal distribution, a forbidden
clause) is an error that names the parameter, never an approximation; so is the reverse. The
libraries are imported when they are needed. To add one: a file here, and its two functions in
the exports of `kerashpo.space`.
"""
