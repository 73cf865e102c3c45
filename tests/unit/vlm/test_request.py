from dataclasses import replace

from loopback import FIRST, GOAL, question

from car.vlm import Measured, Picture, Usage


def test_the_hash_depends_on_all_that_is_seen_and_on_nothing_else() -> None:
    request = question()
    seen = [
        replace(request, system="Other rules."),
        replace(request, parts=request.parts[::-1]),
        replace(request, parts=(*request.parts, "")),
        replace(request, parts=(Picture(FIRST, "first frame"),)),
        replace(request, parts=(Picture(GOAL, "first frame"),)),
        replace(request, parts=(Picture(FIRST, "goal frame"),)),
    ]
    assert len({request.sha256, *(other.sha256 for other in seen)}) == 7
    assert question(stage="checker", subject="open the door", attempt=3).sha256 == request.sha256


def test_how_the_text_is_cut_what_may_be_kept_and_the_form_of_the_answer_make_no_difference() -> None:
    request = question("One.\n\nTwo.")
    cut = replace(request, parts=(*request.parts[:-1], "One.", "Two."), shared=(4,), schema={"type": "object"})
    assert cut.sha256 == request.sha256
    apart = replace(request, parts=("One.", *request.parts[:-1], "Two."))
    assert apart.sha256 != request.sha256


def test_measured_text_is_no_part_of_it() -> None:
    request = question()
    assert replace(request, parts=(*request.parts, Measured("9 microseconds"))).sha256 == request.sha256


def test_pictures_come_in_order() -> None:
    assert [picture.caption for picture in question().pictures] == ["first frame", "goal frame"]


def test_tokens_add_up() -> None:
    assert Usage(1, 2, 3, 4) + Usage(10, 20, 30, 40) == Usage(11, 22, 33, 44)
    assert Usage(1, 2, 1, 0).tokens == 3
