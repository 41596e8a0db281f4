"""A character-level tokenizer that behaves like the released ones: saved, loaded and padded the same way."""

import string
from typing import TYPE_CHECKING

from rlvr.prompts import BOX_OPEN, THINK_CLOSE, THINK_OPEN

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

PAD, BOS, EOS, UNK = "<pad>", "<bos>", "<eos>", "<unk>"
CHARACTERS = "\n" + "".join(sorted(set(string.printable) - set("\t\n\r\x0b\x0c")))
WORDS = (THINK_OPEN, THINK_CLOSE, BOX_OPEN)  # one token each, as the real vocabularies have for their tags


def build_tokenizer() -> "PreTrainedTokenizerFast":
    """Printable ASCII, newline, the three words and four special tokens; any other character becomes ``<unk>``.

    No token is added around a text, and decoding undoes encoding for every text over the alphabet.
    """
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    vocabulary = {token: index for index, token in enumerate((PAD, BOS, EOS, UNK, *CHARACTERS))}
    core = Tokenizer(models.WordLevel(vocabulary, unk_token=UNK))
    core.pre_tokenizer = pre_tokenizers.Split(Regex(r"[\s\S]"), behavior="isolated")
    core.decoder = decoders.Fuse()
    core.add_tokens([AddedToken(word, special=False, normalized=False) for word in WORDS])
    return PreTrainedTokenizerFast(
        tokenizer_object=core,
        pad_token=PAD,
        bos_token=BOS,
        eos_token=EOS,
        unk_token=UNK,
        padding_side="left",
        clean_up_tokenization_spaces=False,
        model_input_names=["input_ids", "attention_mask"],
    )
