#!/usr/bin/env python3
"""Training throughput of kinetune's networks beside the same networks in PyTorch, in turns on one thread.

    benchmark_generate.py PROGRAM [--rounds N] [--min-time SECONDS]

PROGRAM is bin/benchmark_generate. Each PyTorch model has the layers, sizes, batch, loss and optimiser of its twin, as one
would write it in PyTorch; that both train the same number of weights is checked. Exit code 77 where there is no PyTorch.
"""

import argparse
import json
import math
import os
import subprocess
import sys
import time

SYSTEM_PYTHON = "/usr/bin/python3"  # where a distribution's PyTorch is
TRIED = "KINETUNE_BENCHMARK_TRIED_SYSTEM_PYTHON"
try:
    import torch
    from torch import nn
    from torch.nn import functional as F
except ImportError:
    if TRIED not in os.environ and os.access(SYSTEM_PYTHON, os.X_OK):
        os.execve(SYSTEM_PYTHON, [SYSTEM_PYTHON, *sys.argv], os.environ | {TRIED: "1"})
    print("skipped: there is no PyTorch; on Debian it is the package python3-torch")
    sys.exit(77)

N_POINTS, N_X, N_C, BATCH = 2048, 20, 3, 128


def mlp(n_in, width, n_hidden, n_out, activation, norm=False):
    layers = []
    for _ in range(n_hidden):
        layers += [nn.Linear(n_in, width)] + ([nn.BatchNorm1d(width)] if norm else []) + [activation()]
        n_in = width
    return nn.Sequential(*layers, nn.Linear(n_in, n_out))


def bounded_log_sd(raw):
    return torch.tanh((raw + 2) / 5) * 5 - 2


def normal(raw):
    mean, log_sd = raw.chunk(2, 1)
    return mean, bounded_log_sd(log_sd)


def log_density(x, mean, log_sd):
    standard = (x - mean) * torch.exp(-log_sd)
    return (standard * standard * -0.5 - log_sd - 0.5 * math.log(2 * math.pi)).sum(-1)


class LatentModel(nn.Module):
    """What both autoencoders share: the conditional prior and the evidence bound."""

    def __init__(self, n_latent):
        super().__init__()
        self.n_latent = n_latent
        self.prior = mlp(N_C, 64, 1, 2 * n_latent, nn.ReLU)

    def bound(self, x, c):
        mean, log_sd = normal(self.encode(x, c))
        z = mean + torch.exp(log_sd) * torch.randn_like(mean)
        prior_mean, prior_log_sd = self.prior(c).chunk(2, 1)
        prior_mean, prior_log_sd = 3 * torch.tanh(prior_mean / 3), torch.tanh(prior_log_sd)
        distance = (mean - prior_mean) * torch.exp(-prior_log_sd)
        ratio = log_sd - prior_log_sd
        divergence = (0.5 * (torch.exp(2 * ratio) + distance * distance - 1) - ratio).mean(0)
        return -self.likelihood(x, z, c).mean() + torch.clamp_min(divergence, 0.02).sum()


class Cvae(LatentModel):
    def __init__(self):
        super().__init__(8)
        self.encoder = mlp(N_X + N_C, 128, 2, 16, nn.ReLU, norm=True)
        self.decoder = mlp(8 + N_C, 128, 2, 2 * N_X, nn.ReLU, norm=True)

    def encode(self, x, c):
        return self.encoder(torch.cat([x, c], 1))

    def likelihood(self, x, z, c):
        return log_density(x, *normal(self.decoder(torch.cat([z, c], 1))))


class Block(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.before_attention, self.before_dense = nn.LayerNorm(width), nn.LayerNorm(width)
        self.query, self.key_value, self.out = (nn.Linear(width, k * width) for k in (1, 2, 1))
        self.up, self.down = nn.Linear(width, 2 * width), nn.Linear(2 * width, width)

    def split(self, x):
        return x.view(x.shape[0], x.shape[1], self.heads, -1).transpose(1, 2)

    def forward(self, x, memory=None):
        normed = self.before_attention(x)
        key, value = self.key_value(normed if memory is None else memory).chunk(2, 2)
        q = self.split(self.query(normed))
        scores = q @ self.split(key.contiguous()).transpose(2, 3) / math.sqrt(q.shape[-1])
        mixed = torch.softmax(scores, 3) @ self.split(value.contiguous())
        x = x + self.out(mixed.transpose(1, 2).reshape(x.shape))
        return x + self.down(F.gelu(self.up(self.before_dense(x))))


class Transformer(LatentModel):
    def __init__(self, width=64, heads=4, layers=2, n_memory=4, n_components=4):
        super().__init__(8)
        self.width, self.n_memory = width, n_memory
        self.register_buffer("kinds", torch.zeros(N_X, dtype=torch.int64))
        for name, shape in {"value": (N_X, width), "identity": (N_X, width), "query": (N_X, width), "kind": (4, width),
                            "token": (1, 1, width)}.items():
            setattr(self, name, nn.Parameter(0.5 * torch.randn(shape)))
        self.condition, self.to_latent = nn.Linear(N_C, width), nn.Linear(width, 16)
        self.memory, self.head = nn.Linear(8, n_memory * width), nn.Linear(width, 3 * n_components)
        self.encoder_norm, self.decoder_norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.encoder = nn.ModuleList(Block(width, heads) for _ in range(layers))
        self.decoder = nn.ModuleList(Block(width, heads) for _ in range(layers))

    def encode(self, x, c):
        values = x.unsqueeze(2) * self.value + (self.identity + self.kind[self.kinds])
        tokens = torch.cat([self.token.expand(len(x), 1, self.width), self.condition(c).unsqueeze(1), values], 1)
        for block in self.encoder:
            tokens = block(tokens)
        return self.to_latent(self.encoder_norm(tokens[:, 0]))

    def likelihood(self, x, z, c):
        memory = torch.cat([self.memory(z).view(len(x), self.n_memory, self.width), self.condition(c).unsqueeze(1)], 1)
        tokens = (self.query + self.kind[self.kinds]).unsqueeze(0).expand(len(x), N_X, self.width)
        for block in self.decoder:
            tokens = block(tokens, memory)
        logits, mean, log_sd = self.head(self.decoder_norm(tokens)).chunk(3, 2)
        density = log_density(x[:, :, None, None], mean.unsqueeze(3), bounded_log_sd(log_sd).unsqueeze(3))
        return torch.logsumexp(torch.log_softmax(logits, 2) + density, 2).sum(1)


class Flow(nn.Module):
    def __init__(self):
        super().__init__()
        self.velocity = mlp(N_X + 16 + N_C + 1, 128, 4, N_X, nn.SiLU)
        self.base = mlp(N_C, 64, 2, 2 * N_X, nn.SiLU)
        self.register_buffer("frequencies", torch.arange(1, 9) * math.pi)

    def bound(self, x, c):
        mean, log_sd = normal(self.base(c))
        surprise = -log_density(x, mean, log_sd).mean()
        goal = ((x - mean) * torch.exp(-log_sd)).detach()
        t = (torch.arange(len(x)).unsqueeze(1) + torch.rand(len(x), 1)) / len(x)
        noise, present = torch.randn_like(goal), (torch.rand(len(x), 1) >= 0.1).float()
        there, phase = noise + t * (goal - noise), t * self.frequencies
        v = self.velocity(torch.cat([there, torch.cos(phase), torch.sin(phase), c * present, present], 1))
        return ((v - (goal - noise)) ** 2).sum(1).mean() + surprise


class CcGan(nn.Module):
    """Its targets are drawn point by point in the twin; here they come ready-made, which favours PyTorch."""

    N_LABEL = N_C + 16

    def __init__(self):
        super().__init__()
        self.label = mlp(N_C, 64, 2, 16, nn.ReLU).requires_grad_(False)
        self.generator = mlp(2 + self.N_LABEL, 100, 5, N_X, nn.ReLU, norm=True)
        self.discriminator = mlp(N_X + self.N_LABEL, 100, 5, 1, nn.ReLU)

    def judge(self, x, label):
        return self.discriminator(torch.cat([x, label], 1)).squeeze(1)

    def invent(self, label):
        return self.generator(torch.cat([torch.randn(len(label), 2), label], 1))

    def step(self, x, c, optimisers):
        label = torch.cat([c, self.label(c)], 1)
        weight = torch.ones(len(x))
        with torch.no_grad():
            fake = self.invent(torch.cat([c, self.label(c)], 1))
        noisy = [points + 0.02 * torch.randn_like(points) for points in (x, fake)]
        loss = (weight * F.softplus(-self.judge(noisy[0], label)) + weight * F.softplus(self.judge(noisy[1], label))).mean()
        advance(loss, optimisers[0], self.discriminator)
        self.discriminator.requires_grad_(False)
        label = torch.cat([c, self.label(c)], 1)
        fake = self.invent(label)
        advance(F.softplus(-self.judge(fake + 0.02 * torch.randn_like(fake), label)).mean(), optimisers[1], self.generator)
        self.discriminator.requires_grad_(True)


def advance(loss, optimiser, module):
    optimiser.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(module.parameters(), 5)
    optimiser.step()


def average(model, averaged):
    """The running average of weights, which the twin also keeps."""
    with torch.no_grad():
        for mean, weight in zip(averaged, model.parameters()):
            mean.lerp_(weight, 0.005)


def pytorch_throughput(model, min_time):
    """Points a second."""
    torch.manual_seed(1)
    model.train()
    x, c = torch.randn(N_POINTS, N_X), torch.randn(N_POINTS, N_C)
    is_gan = isinstance(model, CcGan)
    players = [model.discriminator, model.generator] if is_gan else [model]
    optimisers = [torch.optim.AdamW(player.parameters(), lr=1e-4, weight_decay=1e-5) for player in players]
    averaged = [p.detach().clone() for p in model.parameters()]

    def epoch():
        for index in torch.randperm(N_POINTS).split(BATCH):
            if is_gan:
                model.step(x[index], c[index], optimisers)
            else:
                advance(model.bound(x[index], c[index]), optimisers[0], model)
            average(model, averaged)

    epoch()
    n, begin = 0, time.process_time()  # one thread; a machine that does other work does not count
    while n == 0 or time.process_time() - begin < min_time:
        epoch()
        n += N_POINTS
    return n / (time.process_time() - begin)


def kinetune_throughput(program, name, min_time):
    """(points a second, weights)"""
    text = subprocess.run([program, f"--benchmark_filter=^train/{name}$", f"--benchmark_min_time={min_time}",
                           "--benchmark_format=json"], check=True, capture_output=True, text=True).stdout
    [result] = json.loads(text)["benchmarks"]
    return result["points"], int(result["weights"])


def n_weights(model):
    return sum(p.numel() for p in model.parameters() if p.requires_grad)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--min-time", type=float, default=1.0)
    options = parser.parse_args()
    torch.set_num_threads(1)
    print(f"PyTorch {torch.__version__}; points a second of CPU time, the best of {options.rounds} rounds in turns")
    print(f"{'':<12} {'kinetune':>10} {'PyTorch':>10} {'ratio':>6}")
    for name, make in {"cvae": Cvae, "transformer": Transformer, "ccgan": CcGan, "flow": Flow}.items():
        ours, theirs = [], []
        for _ in range(options.rounds):
            model = make()
            points, weights = kinetune_throughput(options.program, name, options.min_time)
            assert weights == n_weights(model), f"{name}: {weights} weights, PyTorch's twin has {n_weights(model)}"
            ours.append(points)
            theirs.append(pytorch_throughput(model, options.min_time))
        print(f"{name:<12} {max(ours):>10.0f} {max(theirs):>10.0f} {max(ours) / max(theirs):>6.2f}")


if __name__ == "__main__":
    main()
