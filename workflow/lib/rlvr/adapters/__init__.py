"""Parameter-efficient methods: attaching them, our own PEFT tuners, merging.

``import rlvr.adapters`` makes the types ``QUANTA`` and ``MORA`` known to PEFT, so that their saved adapters are loaded
by ``PeftModel.from_pretrained`` like any other, whichever of the two packages is imported first.
"""

from rlvr.adapters import registration

registration.register_tuners()
