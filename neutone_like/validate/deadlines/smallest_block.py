"""Which block size a model that is too slow would keep up with: measured, in runs at real deadlines."""

from neutone_like.validate.deadlines.findings import ALLOWED_SHARE, PlayedSetting, SmallestBlock
from neutone_like.validate.deadlines.run import play_setting
from neutone_like.validate.live_subject import LiveSubject
from neutone_like.validate.playing import HostSetting

HOST_BLOCKS = (64, 128, 256, 512, 1024, 2048, 4096)
SECONDS = 0.5


def find_smallest_block(subject: LiveSubject, slow: PlayedSetting) -> SmallestBlock:
    """Halve the sizes above the one that was too slow until the smallest is found that is not.

    A model that declares block sizes is tried with those, at its own rate; another with blocks of the host's. A size
    whose budget the smaller block's median already exceeds is not tried: a longer block takes no less. Where other
    programs made that longer, the processor time counts.
    """
    of_model = slow.model_block_size is not None
    rate, block = slow.call_rate, slow.call_samples
    sizes = subject.artifact.block_sizes if of_model else HOST_BLOCKS
    times = slow.run.inference_time
    least_seconds = min(1e-6 * times.p50_us, slow.worker_cpu_seconds / max(1, times.count))
    possible = [size for size in sorted(sizes) if size > block and ALLOWED_SHARE * size / rate >= least_seconds]
    found = _smallest(subject, rate, possible)
    return SmallestBlock(found, rate, of_model, max(*sizes, block))


def _smallest(subject: LiveSubject, rate: int, sizes: list[int]) -> int | None:
    """Bisection: whatever keeps up with a block does so with a longer one."""

    def keeps_up(size: int) -> bool:
        return play_setting(subject, HostSetting(rate, size), SECONDS, compare=False).good

    if not sizes or not keeps_up(sizes[-1]):
        return None
    first, last = 0, len(sizes) - 1
    while first < last:
        middle = (first + last) // 2
        if keeps_up(sizes[middle]):
            last = middle
        else:
            first = middle + 1
    return sizes[last]
