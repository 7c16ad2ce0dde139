"""What a host hands over stays as it was: hosts play the dry sound from the same memory."""

import torch

from neutone_like.validate.context import Context, Outcome, verdict
from neutone_like.validate.playing import latency_samples, model_values


def check_inputs_are_untouched(context: Context) -> Outcome:
    """Compare the host's audio and parameter memory before and after each call, and see what the model itself does."""
    changed: list[str] = []
    for setting in context.settings:
        module = context.reused(setting)
        for call in range(1 + latency_samples(module) // setting.block_size + 2):
            x = context.sound(setting.block_size, seed=call)
            values = torch.rand(4, 1, generator=torch.Generator().manual_seed(call)).repeat(1, setting.block_size)
            before_x, before_values = x.clone(), values.clone()
            module.forward(x, values)
            if not torch.equal(x, before_x):
                changed.append(f"audio, at {setting}")
            if not torch.equal(values, before_values):
                changed.append(f"parameters, at {setting}")
    return verdict(
        not changed,
        f"the host's {changed[0]} was overwritten" if changed else "the host's audio and parameters are as before",
        "no change",
        "Don't write into what do_forward_pass receives (x.mul_(), x[...] = ..., out=x): make new tensors.",
        _what_the_model_writes(context) if context.is_ours else (),
    )


def _what_the_model_writes(context: Context) -> tuple[str, ...]:
    """Whether the model writes into its own arguments, which wrappers protect the host from; information only."""
    block = context.artifact.block_sizes[0] if context.artifact.block_sizes else 256
    model = context.artifact.fresh_module().w2w_base
    model.prepare_model(context.native_rate, block)
    model.reset_model()
    x = context.sound(block + context.artifact.live_metadata.look_behind_samples)[: context.artifact.in_channels]
    params = model_values(context.artifact.numerical_parameters, None, block)
    before_x, before = x.clone(), {name: value.clone() for name, value in params.items()}
    model.do_forward_pass(x, params)
    written = [] if torch.equal(x, before_x) else ["x"]
    written += [f"params[{name!r}]" for name, value in before.items() if not torch.equal(params[name], value)]
    return (
        (f"the model writes into its argument {', '.join(written)}; this wrapper gives it copies",) if written else ()
    )
