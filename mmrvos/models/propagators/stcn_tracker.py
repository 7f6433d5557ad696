import torch
from torch import Tensor

from .stcn_memory import MemoryBank
from .stcn_network import STCN, EncodedFrame, aggregate


class STCNTracker:
    """Track objects with disjoint masks in one direction of time.

    Objects may start in different frames, as in the official core for
    YouTube-VOS. With all objects in the first frame this equals the official
    core for DAVIS.

    Args:
        network: holds the weights; the tracker holds the state of one pass.
        mem_every: frames from one memory frame to the next, counted from the
            last given masks.
        include_last: add the previous frame to the memory, too.
        top_k, max_memory: of :class:`MemoryBank`.
    """

    def __init__(self,
                 network: STCN,
                 *,
                 mem_every: int = 5,
                 include_last: bool = False,
                 top_k: int = 20,
                 max_memory: int | None = None) -> None:
        self.network = network
        self.mem_every = mem_every
        self.include_last = include_last
        self.top_k = top_k
        self.max_memory = max_memory
        # objects given together share a bank
        self.banks: list[MemoryBank] = []
        self.counts: list[int] = []
        self.age = 0  # frames since masks were given

    def step(self,
             frame: EncodedFrame,
             given: Tensor | None = None,
             last: bool = False) -> Tensor:
        """Segment the next frame.

        Args:
            frame: the encoded frame.
            given: (K_new, H, W), masks of objects that start here, 0 or 1;
                required in the first frame.
            last: no frame follows, so the memory is not updated.

        Returns:
            (K + 1, H, W), probabilities of the background and of all objects
            in the order in which they were given.
        """
        if self.banks:
            probs = aggregate(self.segment(frame))
        if given is not None:
            probs = aggregate(
                torch.cat([probs[1:] * (given <= 0.5).all(0), given])
                if self.banks else given)
            self.banks.append(MemoryBank(self.top_k, self.max_memory))
            self.counts.append(len(given))
            self.age = 0
        due = self.age % self.mem_every == 0
        if not last and (due or self.include_last):
            # probabilities, not masks, which keeps the uncertainty
            values = self.network.encode_value(frame, probs[1:])
            for bank, value in zip(
                    self.banks, values.split(self.counts), strict=True):
                bank.add(frame.key, value, permanent=due)
        self.age += 1
        return probs

    def segment(self, frame: EncodedFrame) -> Tensor:
        """Return independent probabilities of the objects, (K, H, W)."""
        readout = torch.cat([
            bank.read(frame.key, count)
            for bank, count in zip(self.banks, self.counts, strict=True)
        ])
        return self.network.decode(frame, readout).sigmoid()
