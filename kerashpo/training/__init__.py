"""Training: one Keras model through its epochs.

=====================  ====================================================================
``runner``             `KerasRunner`: trains trials in this process and keeps checkpoints
``trial_state``        one trial in memory, saved to a checkpoint and loaded from it
``reporter``           reports the epochs of one run and keeps its best weights
``loops``              training loops: compiled epochs, `model.fit`, the user's own `fit`
``data``, ``folds``    the arguments of `search`, and the data of each run (cross-validation)
``hypermodel``         builds and compiles models; `hyperparameters` has their declarations,
                       `keras_tuner_params` converts these to parameters of the space
``build``              creates all variables of a model before it is trained
``preflight``          one batch through the default model before the search
``randomness``         random seeds keyed by (seed, trial, run, epoch)
``user_callbacks``     the user's callbacks, copied for each trial
``settings``           how trials are trained, metrics computed from the model
``factory``            builds the runner, in this process or in a worker
=====================  ====================================================================

Helpers: ``arrays``, ``batch_spec``, ``recorded_batches`` and ``resampling`` (data);
``model_structure`` (what a model is made of); ``model_state``, ``captured_state``,
``validated_values`` and ``callback_state`` (what training changes, and what code reads);
``trial_memory``, ``trial_history`` and ``restore`` (paused trials); ``symbolic_build``,
``late_variables`` and ``jax_initialisers`` (building without allocation or compilation);
``ensemble``, ``stored_models``, ``mutable``, ``live_values``, ``replay`` and ``hparams``;
``fold_predictions`` (the weights of a final round); ``energy``, ``carbon`` and ``measure`` (what
training and models cost);
``trial_start``, ``trial_job`` and ``joint_training`` (the runner's trials, one by one or as one
program); ``dataset_state``, ``outside_layers`` and ``trained_layers`` (what trials would share,
and what `fit` trains); ``python_values`` and ``reachable_values`` (numbers that a trace reads).

To add a training loop: subclass `TrainingLoop`, teach `choose` when it is exact, and run it
through ``tests/training/test_exactness.py`` beside the others.
"""
