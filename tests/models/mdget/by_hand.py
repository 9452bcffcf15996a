"""The equations of the network in plain numpy, one dialogue at a time and without padding.

Written out from the paper: utterances, heads and pairs are loops, softmax runs over the utterances
that may be looked at and over nothing else.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from torch import nn

from empathic_sdk.models.mdget import MDGETConfig

Array = np.ndarray[Any, np.dtype[Any]]
Weights = dict[str, Array]

_erf = np.vectorize(math.erf, otypes=[np.float64])


def weights(module: nn.Module) -> Weights:
    return {n: p.detach().double().numpy() for n, p in module.named_parameters()}


def below(w: Weights, name: str) -> Weights:
    return {n.removeprefix(f"{name}."): v for n, v in w.items() if n.startswith(f"{name}.")}


def sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def gelu(x: Array) -> Array:
    return x * 0.5 * (1 + _erf(x / math.sqrt(2)))


def relu(x: Array) -> Array:
    return np.maximum(x, 0)


def cat(*parts: Array) -> Array:
    return np.concatenate(parts, -1)


def linear(w: Weights, name: str, x: Array) -> Array:
    y = x @ w[f"{name}.weight"].T
    return y + w[f"{name}.bias"] if f"{name}.bias" in w else y


def layer_norm(w: Weights, name: str, x: Array) -> Array:
    centred = x - x.mean(-1, keepdims=True)
    scaled = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-5)
    return scaled * w[f"{name}.weight"] + w[f"{name}.bias"]


def gru(w: Weights, x: Array, end: str = "") -> Array:
    """One direction: reset, update and new gate stand one below the other in the weights."""
    w_x, w_h = w[f"weight_ih_l0{end}"], w[f"weight_hh_l0{end}"]
    b_x, b_h = w[f"bias_ih_l0{end}"], w[f"bias_hh_l0{end}"]
    d = w_h.shape[1]
    h, out = np.zeros(d), []
    for x_t in x:
        r = sigmoid(w_x[:d] @ x_t + b_x[:d] + w_h[:d] @ h + b_h[:d])
        z = sigmoid(w_x[d : 2 * d] @ x_t + b_x[d : 2 * d] + w_h[d : 2 * d] @ h + b_h[d : 2 * d])
        c = np.tanh(w_x[2 * d :] @ x_t + b_x[2 * d :] + r * (w_h[2 * d :] @ h + b_h[2 * d :]))
        h = (1 - z) * c + z * h
        out.append(h)
    return np.array(out)


def own_past(w: Weights, x: Array, who: list[int], *, slots: int, causal: bool) -> Array:
    """Each speaker's utterances, taken out of the dialogue, in a recurrence of their own."""
    own, out = below(w, "gru"), x.copy()
    for slot in range(slots):
        at = [i for i, s in enumerate(who) if min(s, slots - 1) == slot]
        if at:
            heard = gru(own, x[at])
            out[at] += heard if causal else cat(heard, gru(own, x[at][::-1], "_reverse")[::-1])
    return out


def feedforward(w: Weights, name: str, x: Array) -> Array:
    return linear(w, f"{name}.net.3", gelu(linear(w, f"{name}.net.0", x)))  # eq 5


def gue(w: Weights, x: Array, *, causal: bool, gated: bool) -> Array:
    own = below(w, "gru")
    heard = gru(own, x) if causal else cat(gru(own, x), gru(own, x[::-1], "_reverse")[::-1])
    if not gated:
        x_rr = layer_norm(w, "norm_1", x + heard)
        return layer_norm(w, "norm_2", x + x_rr + feedforward(w, "feedforward", x_rr))
    g_1 = sigmoid(linear(w, "gate_1", cat(x, heard)))  # eq 1
    x_rr = layer_norm(w, "norm_1", g_1 * x + (1 - g_1) * heard)  # eq 2
    ff = feedforward(w, "feedforward", x_rr)
    g_2 = sigmoid(linear(w, "gate_2", cat(x, x_rr, ff)))  # eq 3
    return layer_norm(w, "norm_2", g_2 * x + (1 - g_2) * (x_rr + ff))  # eq 4


def attention(
    w: Weights, x: Array, source: Array, *, heads: int, looks: list[list[int]], who: list[int]
) -> Array:
    """``looks[i]`` are the utterances that utterance ``i`` may look at; ``who`` speaks."""
    q, k, v = linear(w, "query", x), linear(w, "key", source), linear(w, "value", source)
    size = x.shape[1] // heads
    out = np.zeros_like(x)
    for i, seen in enumerate(looks):
        if not seen:
            continue
        parts = []
        for h in range(heads):
            s = slice(h * size, (h + 1) * size)
            scores = np.array([q[i, s] @ k[j, s] / math.sqrt(size) for j in seen])
            if "same_speaker" in w:
                scores += [w["same_speaker"][h] * (who[i] == who[j]) for j in seen]
            share = np.exp(scores) / np.exp(scores).sum()
            parts.append(sum(a * v[j, s] for a, j in zip(share, seen, strict=True)))
        out[i] = linear(w, "out", cat(*parts))
    return out


def acme(
    w: Weights,
    x: dict[str, Array],
    *,
    heads: int,
    gated: bool,
    present: dict[str, list[bool]],
    near: list[list[int]],
    who: list[int],
) -> dict[str, Array]:
    """``near[i]``: the utterances within reach of ``i``, whatever is present there."""
    hub, *spokes = x
    n, d = x[hub].shape

    def mha(name: str, q: Array, m: str, source: Array) -> Array:
        looks = [[j for j in js if present[m][j]] for js in near]
        return attention(below(w, name), q, source, heads=heads, looks=looks, who=who)

    sr = {m: layer_norm(w, f"norm_self.{m}", x[m] + mha(f"itself.{m}", x[m], m, x[m])) for m in x}
    into, cr = [], {}  # sr: eq 6 and 7
    for m in spokes:
        to_hub = mha(f"to_hub.{m}", sr[hub], m, sr[m])
        from_hub = mha(f"from_hub.{m}", sr[m], hub, sr[hub])
        if gated:
            to_hub = sigmoid(linear(w, f"gate_to_hub.{m}", cat(sr[hub], sr[m]))) * to_hub
            from_hub = sigmoid(linear(w, f"gate_from_hub.{m}", cat(sr[m], sr[hub]))) * from_hub
        into.append(to_hub)  # eq 8 to 11
        cr[m] = layer_norm(w, f"norm_cross.{m}", x[m] + sr[m] + from_hub)  # eq 14 to 19
    x_c = np.zeros((n, d))
    if spokes:
        some = np.array([any(present[m][i] for m in spokes) for i in range(n)])
        x_c = gelu(linear(w, "merge", cat(*into))) * some[:, None]  # eq 12
    cr[hub] = layer_norm(w, f"norm_cross.{hub}", x[hub] + sr[hub] + x_c)  # eq 13
    out = {}
    for m in x:
        g_f = sigmoid(linear(w, "gate_select", cr[m])) if gated else 1.0  # eq 20
        x_f = feedforward(w, f"feedforward.{m}", g_f * cr[m])  # eq 21
        out[m] = layer_norm(w, f"norm_out.{m}", x[m] + cr[m] + x_f)  # eq 22
        out[m] = out[m] * np.array(present[m])[:, None]
    return out


def fusion(w: Weights, h: list[Array], real: Array, *, gated: bool) -> tuple[Array, Array]:
    g = sigmoid(linear(w, "gate", cat(*h))) if gated else np.ones(real.shape)
    g = g * real  # eq 23
    mixed = sum(g[:, k : k + 1] * part for k, part in enumerate(h))  # eq 24
    return cat(*h, mixed), g  # eq 25


def classifier(w: Weights, h: Array, *, gated: bool) -> Array:
    kept = sigmoid(linear(w, "gate", h)) * h if gated else h  # eq 26 and 27
    return linear(w, "out", relu(linear(w, "hidden", kept)))  # eq 28 and 29


def transfer(w: Weights, h: Array, other: Array, *, gated: bool) -> tuple[Array, Array]:
    n = len(h)
    logits, gates = np.zeros((n, n, 2)), np.ones((n, n))
    for i in range(n):
        for j in range(n):
            pair = cat(h[i], other[j])
            if gated:
                gates[i, j] = sigmoid(linear(w, "gate", pair))[0]  # eq 34
            t = gates[i, j] * pair  # eq 35
            logits[i, j] = w["out.weight"] @ relu(w["hidden.weight"] @ t)  # eq 36 and 37
    return logits, gates


def network(
    w: Weights,
    config: MDGETConfig,
    features: dict[str, Array],
    present: dict[str, list[bool]],
    who: list[int],
    timing: Array | None,
) -> dict[str, Array]:
    """Everything, for one dialogue: inputs, encoders, fusion, emotions and pairs."""
    c, n = config, len(who)
    real = {m: np.array(present[m])[:, None] for m in c.inputs}
    near = [[j for j in range(n) if not c.causal or 0 <= i - j < c.window] for i in range(n)]
    x = {}
    for m in c.inputs:
        y = layer_norm(w, f"norm_in.{m}", linear(w, f"project.{m}", features[m]))
        if c.speakers:
            y = y + w["speaker.weight"][[min(s, c.speakers - 1) for s in who]]
        if c.timing and timing is not None:
            y = y + timing @ w["timing.weight"].T
        x[m] = y * real[m]
        if c.speakers and c.own_past:
            past = own_past(below(w, "own_past"), x[m], who, slots=c.speakers, causal=c.causal)
            x[m] = past * real[m]
    for k in range(c.gue_layers if c.gue else 0):
        layer, gated = below(w, f"gue.{k}"), "gue" in c.gates
        x = {m: gue(layer, x[m], causal=c.causal, gated=gated) * real[m] for m in x}
    for k in range(c.acme_layers if c.acme else 0):
        x = acme(
            below(w, f"acme.{k}"), x, heads=c.heads, gated="acme" in c.gates,
            present=present, near=near, who=who,
        )  # fmt: skip
    fused, gates = fusion(
        below(w, "fusion"), list(x.values()), np.hstack(list(real.values())),
        gated="fusion" in c.gates,
    )  # fmt: skip
    found = {
        "logits": classifier(below(w, "classifier"), fused, gated="classifier" in c.gates),
        "fused": fused,
        "fusion_gates": gates,
    }
    if c.eetm:
        h = linear(w, "shrink", fused)
        seen = np.array([[j in js for j in range(n)] for js in near])
        logits, g = transfer(below(w, "transfer"), h, h, gated="eetm" in c.gates)
        found |= {"vectors": h, "pairs": logits * seen[..., None], "pair_gates": g * seen}
    return found
