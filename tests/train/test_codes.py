from __future__ import annotations

from typing import Any

import pytest
import torch
from tokenizers import Tokenizer, decoders, models, processors
from transformers import PreTrainedTokenizerFast

from adjudge.backends import embeddings
from adjudge.errors import AdjudgeError
from adjudge.train._codes import encoded
from adjudge.train.causal_lm import CausalLM
from adjudge.train.policy import Exchange

from . import tiny


def test_texts_become_codes_with_an_end_mark_and_come_back() -> None:
    policy = tiny.policy(context=16)
    said = policy.encode("how?", "so.")
    assert said == Exchange(tuple(policy.tokenizer("how?")["input_ids"]), (*policy.tokenizer("so.")["input_ids"], 2))
    assert policy.decode(said.response) == "so."
    assert policy.encode("how?", "").response == (2,)
    assert policy.encode("", "a").prompt == (2,)
    assert policy.encode("how?", "a" * 20).response == tuple(policy.tokenizer("a" * 12)["input_ids"])  # no end mark
    with pytest.raises(AdjudgeError, match=r"a prompt of 16 codes.*At most 15"):
        policy.encode("a" * 16, "b")
    cut = tiny.policy(context=16, truncate="left").encode("b" * 8 + "a" * 8, "b")
    assert cut.prompt == tuple(policy.tokenizer("a" * 8)["input_ids"])
    assert cut.response[-1] == 2


def test_turns_are_written_by_the_template_and_end_as_it_ends_them() -> None:
    template = (
        "{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}<s>\n{% endfor %}"
        "{% if add_generation_prompt %}assistant: {% endif %}"
    )
    policy = CausalLM(tiny.model(), tiny.tokenizer(template=template))
    policy.ends = (2, 1)
    said = policy.encode((("user", "hi"),), "yes")
    assert policy.tokenizer.decode(list(said.prompt)) == "user: hi<s>\nassistant: "
    assert policy.tokenizer.decode(list(said.response)) == "yes<s>"
    bare = tiny.policy().encode((("user", "hi"),), "yes")
    assert tiny.policy().tokenizer.decode(list(bare.prompt)) == "user: hi\n\nassistant:"


def test_the_templates_end_mark_closes_every_response() -> None:
    """Short answers whose letters stand in the mark itself, an empty one, and a system turn that is refused."""
    template = (
        "{% if messages[0]['role'] == 'system' %}{{ raise_exception('no') }}{% endif %}"
        "{% for m in messages %}{{ m['content'] }}<s>{% endfor %}"
    )
    policy = CausalLM(tiny.model(), tiny.tokenizer(template=template))
    policy.ends = (2, 1)
    for turns in ((("user", "hi"),), (("system", "be brief"), ("user", "hi"))):
        for said in ("yes", "s", "", " "):
            assert policy.encode(turns, said).response[-1] == 1, (turns, said)


def test_a_mark_that_the_template_alone_knows_ends_responses_and_what_embeddings_read() -> None:
    """As <|im_end|> does where the tokenizer's own mark is another: behind it there is nothing."""
    template = (
        "{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}<s>\n{% endfor %}"
        "{% if add_generation_prompt %}assistant: {% endif %}"
    )
    policy = CausalLM(tiny.model(), tiny.tokenizer(template=template))
    assert policy.ends == (2, 1)
    for said in ("yes", "", "yes<s>"):
        turns = policy.encode((("user", "hi"),), said)
        assert turns.response[-1] == 1
        assert turns.response[-2:-1] != (1,)
        assert embeddings.codes(policy.tokenizer, "hi", said, 64) == [*turns.prompt, *turns.response]
        assert embeddings.codes(policy.tokenizer, "hi", said, 5) == [*turns.prompt, *turns.response][-5:]
    drawn = policy.sample([(3, 4)], torch.Generator().manual_seed(1), n=50, max_tokens=30)
    assert 1 in {one.response[-1] for one, ended in zip(drawn.exchanges, drawn.ended, strict=True) if ended}
    assert not any(1 in one.response[:-1] for one in drawn.exchanges)


def test_embeddings_read_a_text_without_a_template_in_one_with_one_end_mark() -> None:
    for post in ("", "$A </s>", "<s> $A </s>"):
        start = [4] * post.startswith("<s>")
        assert embeddings.codes(merging(post), "", "ab", 20) == [*start, 3, 0]
        assert embeddings.codes(merging(post), "", "ab</s>", 20) == [*start, 3, 0]
    silent = merging()
    silent.eos_token = None
    assert embeddings.codes(silent, "", "ab", 20) == [3]
    assert embeddings.codes(silent, "", "", 20) == [0]


def test_an_end_mark_in_the_text_is_not_written_twice() -> None:
    for post in ("", "<s> $A", "$A </s>", "<s> $A </s>"):
        said = encoded(merging(post), "a", "b</s>", ends=(0,), context=20, truncate="error")
        assert said.response == (2, 0)
        assert encoded(merging(post), "a</s>", "b", ends=(0,), context=20, truncate="error").prompt[-2:] == (1, 0)


def merging(post: str = "") -> Any:
    """Letters a and b, and one code for "ab"."""
    made = Tokenizer(models.BPE({"</s>": 0, "a": 1, "b": 2, "ab": 3, "<s>": 4}, [("a", "b")]))
    made.decoder = decoders.Fuse()
    if post:
        made.post_processor = processors.TemplateProcessing(single=post, special_tokens=[("</s>", 0), ("<s>", 4)])
    return PreTrainedTokenizerFast(tokenizer_object=made, eos_token="</s>", bos_token="<s>")


def test_a_code_that_would_span_prompt_and_response_is_parted() -> None:
    said = encoded(merging(), "aa", "bab", ends=(0,), context=20, truncate="error")
    assert merging()("aabab")["input_ids"] == [1, 3, 3]
    assert said == Exchange((1, 1), (2, 3, 0))


def test_marks_that_a_tokenizer_adds_stand_where_they_belong() -> None:
    said = encoded(merging("<s> $A </s>"), "a", "ba", ends=(0,), context=20, truncate="error")
    assert said == Exchange((4, 1), (2, 1, 0))


def test_a_model_without_an_end_mark_is_refused() -> None:
    tokenizer, model = tiny.tokenizer(), tiny.model()
    tokenizer.eos_token, model.generation_config.eos_token_id = None, None
    with pytest.raises(AdjudgeError, match="has an end mark"):
        CausalLM(model, tokenizer)
    assert CausalLM(model, tokenizer, end=2).ends == (2,)
