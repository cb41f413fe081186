"""Short conversations written for this project, put together from `chat_words`.

They teach the starter model the form of a conversation: that a question is answered, that an
instruction is followed, and that an answer ends. One looks like::

    [{"role": "user", "content": "Name three trees."},
     {"role": "assistant", "content": "Three trees are oaks, elms and firs."}]
"""

from __future__ import annotations

import random
from collections.abc import Callable

from chat_words import (
    ADJECTIVES,
    CAPITALS,
    COMPLAINTS,
    CREATURES,
    DAYS,
    FACTS,
    FAMILIES,
    GREETINGS,
    HOW_TO,
    MEANINGS,
    MONTHS,
    NAMES,
    OPPOSITES,
    PLACES,
    PLURALS,
    PRAISE,
    THINGS,
    VERBS,
)  # fmt: skip

Conversation = list[dict[str, str]]
Exchange = tuple[str, str]

COUNTING = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
            "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen",
            "eighteen", "nineteen", "twenty")  # fmt: skip
SYSTEM_PROMPTS = (
    "You are a helpful assistant.",
    "Answer in one short sentence.",
    "Be polite and brief.",
    "You help people with their questions.",
    "You are a friendly assistant who answers clearly.",
    "Answer simply.",
)


def _joined(words: list[str]) -> str:
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1]


def _article(word: str) -> str:
    return f"an {word}" if word[0] in "aeiou" else f"a {word}"


def _greeting(pick: random.Random) -> Exchange:
    greeting = pick.choice(GREETINGS)
    name = pick.choice(NAMES)
    return pick.choice(
        [
            (f"{greeting}!", f"{greeting}! How can I help you?"),
            (f"{greeting}, my name is {name}.", f"{greeting}, {name}! What can I do for you?"),
            (f"{greeting}, how are you?", "I am well, thank you. How can I help you?"),
            ("Thank you for your help.", "You are welcome."),
            (f"Thanks, this is {name}. That was all.", f"You are welcome, {name}. Goodbye!"),
            ("Goodbye!", "Goodbye! Have a good day."),
            (f"Good night, says {name}.", f"Good night, {name}. Sleep well."),
        ]
    )


def _about_itself(pick: random.Random) -> Exchange:
    question = pick.choice(
        ["Who are you?", "What are you?", "Are you a person?", "Tell me about yourself.",
         "What is your name?", "Can you help me?", "What can you do?"]
    )  # fmt: skip
    if question == "Can you help me?":
        return question, "Yes. Tell me what you need."
    if question == "What can you do?":
        return question, "I can answer short questions. You can teach me more by tuning me."
    if question == "Are you a person?":
        return question, "No. I am a small language model."
    return question, "I am the Tunesmith starter, a small language model made to be tuned."


def _fact(pick: random.Random) -> Exchange:
    question, answer = pick.choice(FACTS)
    lead = pick.choice(["", "", "Please tell me: ", "I have a question. ", "Do you know? "])
    return lead + question, answer


def _capital(pick: random.Random) -> Exchange:
    country, city = pick.choice(sorted(CAPITALS.items()))
    return pick.choice(
        [
            (f"What is the capital of {country}?", f"The capital of {country} is {city}."),
            (f"Name the capital of {country}.", f"{city}."),
            (f"{city} is the capital of which country?", f"{city} is the capital of {country}."),
            (f"Is {city} the capital of {country}?", f"Yes, {city} is the capital of {country}."),
        ]
    )


def _opposite(pick: random.Random) -> Exchange:
    word, other = pick.choice(sorted(OPPOSITES.items()))
    return pick.choice(
        [
            (f"What is the opposite of {word}?", f"The opposite of {word} is {other}."),
            (f"Give me the opposite of '{word}'.", f"{other.capitalize()}."),
            (f"What is the opposite of {other}?", f"The opposite of {other} is {word}."),
        ]
    )


def _meaning(pick: random.Random) -> Exchange:
    word, meaning = pick.choice(sorted(MEANINGS.items()))
    question = pick.choice([f"What is {word}?", f"Explain what {word} is.", f"Define {word}."])
    return question, f"{word[0].upper()}{word[1:]} is {meaning}."


def _list(pick: random.Random) -> Exchange:
    family = pick.choice(sorted(FAMILIES))
    count = pick.randint(2, 5)
    members = pick.sample(FAMILIES[family], count)
    plural = PLURALS[family]
    if pick.random() < 0.4:
        items = "\n".join(f"- {member}" for member in members)
        return f"Make a list of {COUNTING[count]} {plural}.", items
    question = pick.choice(
        [f"Name {COUNTING[count]} {plural}.", f"Give me {COUNTING[count]} {plural}.",
         f"Can you name {count} {plural}?", f"List {COUNTING[count]} {plural}."]
    )  # fmt: skip
    return question, f"{COUNTING[count].capitalize()} {plural} are {_joined(members)}."


def _kind(pick: random.Random) -> Exchange:
    family = pick.choice(sorted(FAMILIES))
    member = pick.choice(FAMILIES[family])
    other = pick.choice([name for name in sorted(FAMILIES) if name != family])
    if pick.random() < 0.5:
        options = [PLURALS[family], PLURALS[other]]
        pick.shuffle(options)
        return (
            f"Which group does '{member}' belong to: {options[0]} or {options[1]}?",
            f"{member.capitalize()} belong to the {PLURALS[family]}.",
        )
    asked = pick.choice([family, other])
    verdict = "Yes" if asked == family else "No"
    return f"Is '{member}' in the group of {PLURALS[asked]}?", f"{verdict}."


def _sum(pick: random.Random) -> Exchange:
    first, second = pick.randint(1, 10), pick.randint(1, 10)
    if pick.random() < 0.5:
        return (
            pick.choice([f"What is {first} plus {second}?", f"Add {first} and {second}."]),
            f"{first} plus {second} is {first + second}.",
        )
    larger, smaller = max(first, second), min(first, second)
    return (
        f"What is {larger} minus {smaller}?",
        f"{larger} minus {smaller} is {larger - smaller}.",
    )


def _calendar(pick: random.Random) -> Exchange:
    names, kind = pick.choice([(DAYS, "day"), (MONTHS, "month")])
    index = pick.randrange(len(names))
    here, after = names[index], names[(index + 1) % len(names)]
    if pick.random() < 0.5:
        return f"Which {kind} comes after {here}?", f"{after} comes after {here}."
    return f"Which {kind} comes before {after}?", f"{here} comes before {after}."


def _sentence(pick: random.Random) -> tuple[str, str, str, str]:
    """One event in the present, past and future tense, and its subject."""
    name, place, thing = pick.choice(NAMES), pick.choice(PLACES), pick.choice(THINGS)
    present, past, base, _ = pick.choice(VERBS)
    fill = {"place": place, "thing": thing}
    return (
        f"{name} {present.format(**fill)}.",
        f"{name} {past.format(**fill)}.",
        f"{name} will {base.format(**fill)}.",
        name,
    )


def _rewrite(pick: random.Random) -> Exchange:
    present, past, future, _ = _sentence(pick)
    return pick.choice(
        [
            (f"Rewrite in the past tense: {present}", past),
            (f"Put this sentence into the past: {present}", past),
            (f"Rewrite in the present tense: {past}", present),
            (f"Rewrite in the future tense: {present}", future),
            (f"Write this in capital letters: {past}", past.upper()),
            (f"Repeat this sentence: {past}", past),
            (f"Repeat after me: {future}", future),
            (f"Turn this into a question: {past}", f"Is it true that {past[:-1]}?"),
        ]
    )


def _reading(pick: random.Random) -> Exchange:
    name, day, place = pick.choice(NAMES), pick.choice(DAYS), pick.choice(PLACES)
    adjective, thing = pick.choice(ADJECTIVES), pick.choice(THINGS)
    price = pick.randint(2, 60)
    friend = pick.choice([other for other in NAMES if other != name])
    text = (
        f"On {day} {name} went to the {place} with {friend}. "
        f"There {name} bought {_article(adjective)} {thing} for {price} coins."
    )
    question, answer = pick.choice(
        [
            (f"Where did {name} go?", f"{name} went to the {place}."),
            (f"When did {name} go to the {place}?", f"{name} went there on {day}."),
            (f"What did {name} buy?", f"{name} bought {_article(adjective)} {thing}."),
            (f"How much did the {thing} cost?", f"The {thing} cost {price} coins."),
            (f"Who went with {name}?", f"{friend} went with {name}."),
            ("Summarise the text in one sentence.", f"{name} bought a {thing} at the {place}."),
            ("Which day is mentioned?", f"{day}."),
            ("Give the text a title.", f"The {adjective.capitalize()} {thing.capitalize()}"),
        ]
    )
    if pick.random() < 0.5:
        return f"{text}\n\n{question}", answer
    return f"{question}\n\n{text}", answer


def _feeling(pick: random.Random) -> Exchange:
    good = pick.random() < 0.5
    text = pick.choice(PRAISE if good else COMPLAINTS)
    label = "positive" if good else "negative"
    question = pick.choice(
        ["Is this review positive or negative? {}", "Positive or negative? {}",
         "What is the mood of this text, positive or negative?\n{}"]
    )  # fmt: skip
    answer = pick.choice([f"{label.capitalize()}.", f"The text is {label}."])
    return question.format(text), answer


def _how_to(pick: random.Random) -> Exchange:
    task, steps = pick.choice(sorted(HOW_TO.items()))
    question = pick.choice([f"How do I {task}?", f"How can I {task}?", f"Tell me how to {task}."])
    if pick.random() < 0.5:
        return question, "\n".join(f"{place}. {step}" for place, step in enumerate(steps, 1))
    return question, " ".join(steps)


def _story(pick: random.Random) -> Exchange:
    creature, friend = pick.sample(CREATURES, 2)
    place, thing, adjective = pick.choice(PLACES), pick.choice(THINGS), pick.choice(ADJECTIVES)
    opening = pick.choice(
        [f"Once there was {_article(creature)} who lived near the {place}.",
         f"{_article(creature).capitalize()} lived behind the {place}."]
    )  # fmt: skip
    middle = pick.choice(
        [f"One morning the {creature} found {_article(adjective)} {thing}, but it belonged to "
         f"{_article(friend)}.",
         f"One day {_article(friend)} came and asked for help, because the {thing} was gone."]
    )  # fmt: skip
    end = pick.choice(
        [f"The {creature} gave it back, and from that day they were friends.",
         f"They searched until evening, and the {creature} found it under a tree.",
         f"So the two shared the {thing}, and both were content."]
    )  # fmt: skip
    question = pick.choice(
        [f"Tell me a short story about {_article(creature)}.",
         f"Write a story about {_article(creature)} and {_article(friend)}.",
         f"Please tell a story with {_article(creature)} in it."]
    )  # fmt: skip
    return question, f"{opening} {middle} {end}"


def _note(pick: random.Random) -> Exchange:
    name, sender = pick.sample(NAMES, 2)
    thing, day, place = pick.choice(THINGS), pick.choice(DAYS), pick.choice(PLACES)
    return pick.choice(
        [
            (f"Write a short note from {sender} to thank {name} for the {thing}.",
             f"Dear {name},\n\nthank you very much for the {thing}. It was kind of you to think "
             f"of me.\n\n{sender}"),
            (f"Write an invitation from {sender} to {name} for {day}.",
             f"Dear {name},\n\nplease come and see me at the {place} on {day}. I would be very "
             f"glad.\n\n{sender}"),
            (f"Write a short message in which {sender} tells {name} to be late on {day}.",
             f"Dear {name},\n\nI shall be late on {day}. Please wait for me at the {place}."
             f"\n\n{sender}"),
        ]
    )  # fmt: skip


def _unknown(pick: random.Random) -> Exchange:
    name, thing = pick.choice(NAMES), pick.choice(THINGS)
    question = pick.choice(
        [f"Where did {name} put the {thing}?", f"What is {name} thinking now?",
         f"How old is {name}?", f"What is the number of my {thing}?",
         "What will the weather be tomorrow?", "What time is it now?"]
    )  # fmt: skip
    return question, pick.choice(["I do not know that.", "I am sorry, I do not know."])


MAKERS: tuple[tuple[Callable[[random.Random], Exchange], float], ...] = (
    (_greeting, 1.0), (_about_itself, 0.5), (_fact, 1.5), (_capital, 1.0), (_opposite, 0.8),
    (_meaning, 1.2), (_list, 2.0), (_kind, 1.2), (_sum, 1.0), (_calendar, 0.6), (_rewrite, 3.0),
    (_reading, 4.0), (_feeling, 1.2), (_how_to, 0.8), (_story, 2.5), (_note, 1.5), (_unknown, 0.5),
)  # fmt: skip


def write_conversation(pick: random.Random) -> Conversation:
    """Write one conversation of one to three exchanges, at times under a system prompt."""
    makers, weights = zip(*MAKERS, strict=True)
    conversation: Conversation = []
    if pick.random() < 0.15:
        conversation.append({"role": "system", "content": pick.choice(SYSTEM_PROMPTS)})
    exchanges = pick.choices([1, 2, 3], weights=[7, 2, 1])[0]
    for maker in pick.choices(makers, weights=weights, k=exchanges):
        question, answer = maker(pick)
        conversation.append({"role": "user", "content": question})
        conversation.append({"role": "assistant", "content": answer})
    return conversation


def write_conversations(*, count: int, seed: int) -> list[Conversation]:
    """Write `count` different conversations; the same for the same seed."""
    pick = random.Random(seed)
    seen: set[str] = set()
    conversations: list[Conversation] = []
    while len(conversations) < count:
        conversation = write_conversation(pick)
        key = repr(conversation)
        # A few short ones (greetings, sums) have few forms; a tenth may come again.
        if key not in seen or pick.random() < 0.1:
            seen.add(key)
            conversations.append(conversation)
    return conversations
