"""Two networks with an optimizer each, trained by a train_step."""

import keras
import numpy as np
import tensorflow as tf

import kerashpo as kt  # was: import keras_tuner as kt

rng = np.random.default_rng(0)
x = rng.normal(size=(64, 4)).astype("float32")
y = (x[:, 0] > 0).astype("float32")


class Adversarial(keras.Model):
    def __init__(self, generator, discriminator):
        super().__init__()
        self.generator, self.discriminator = generator, discriminator
        self.d_metric = keras.metrics.Mean(name="d_loss")
        self.g_metric = keras.metrics.Mean(name="g_loss")
        self.built = True  # there is no call of the pair

    def compile(self, d_optimizer, g_optimizer, loss_fn):
        super().compile()
        self.d_optimizer, self.g_optimizer, self.loss_fn = d_optimizer, g_optimizer, loss_fn

    @property
    def metrics(self):
        return [self.d_metric, self.g_metric]

    def train_step(self, real):
        noise = tf.random.normal((tf.shape(real)[0], 2))
        fake = self.generator(noise)
        both = tf.concat([fake, real], axis=0)
        labels = tf.concat([tf.ones_like(fake[:, :1]), tf.zeros_like(real[:, :1])], axis=0)
        with tf.GradientTape() as tape:
            d_loss = self.loss_fn(labels, self.discriminator(both))
        weights = self.discriminator.trainable_weights
        self.d_optimizer.apply_gradients(zip(tape.gradient(d_loss, weights), weights))
        with tf.GradientTape() as tape:
            guess = self.discriminator(self.generator(noise))
            g_loss = self.loss_fn(tf.zeros_like(guess), guess)
        weights = self.generator.trainable_weights
        self.g_optimizer.apply_gradients(zip(tape.gradient(g_loss, weights), weights))
        self.d_metric.update_state(d_loss)
        self.g_metric.update_state(g_loss)
        return {"d_loss": self.d_metric.result(), "g_loss": self.g_metric.result()}


def build_model(hp):
    units = hp.Int("units", 4, 8, step=4)
    generator = keras.Sequential(
        [keras.Input((2,)), keras.layers.Dense(units, "relu"), keras.layers.Dense(4)]
    )
    discriminator = keras.Sequential(
        [keras.Input((4,)), keras.layers.Dense(units, "relu"), keras.layers.Dense(1)]
    )
    model = Adversarial(generator, discriminator)
    model.compile(
        keras.optimizers.Adam(hp.Float("d_rate", 1e-4, 1e-2, sampling="log")),
        keras.optimizers.Adam(1e-3),
        keras.losses.BinaryCrossentropy(from_logits=True),
    )
    return model


tuner = kt.RandomSearch(
    build_model, objective=kt.Objective("g_loss", "min"), max_trials=2, directory="gan"
)
tuner.search(x, epochs=2, batch_size=16, verbose=0)
print(tuner.oracle.get_best_trials(1)[0].score)
