"""Answers in eight other languages among English ones."""

from __future__ import annotations

from benchmarks.audit.bed import Bed, Defect, Row, insert

PARAGRAPHS: dict[str, tuple[str, ...]] = {
    "German": (
        "Die Öffnungszeiten stehen an der Tür. Wer später kommt, muss am Seiteneingang klingeln.",
        "Bitte nehmen Sie die Tabletten nach dem Essen ein. Trinken Sie dazu ein Glas Wasser.",
        "Der Zug fährt heute von Gleis sieben ab, weil auf Gleis drei gebaut wird.",
        "Im Winter wird es hier früh dunkel. Deshalb gehen wir schon am Nachmittag nach Hause.",
    ),
    "French": (
        "Le médecin vous rappellera demain matin. Gardez votre téléphone près de vous.",
        "La bibliothèque ferme plus tôt le samedi, mais elle reste ouverte le dimanche.",
        "Il faut d'abord remplir le formulaire. Ensuite, vous pouvez l'envoyer par la poste.",
        "Nous avons marché le long de la rivière jusqu'au vieux pont de pierre.",
    ),
    "Spanish": (
        "El hotel está cerca de la estación. Puede dejar las maletas en la recepción.",
        "Antes de salir, cierre todas las ventanas y apague la luz de la cocina.",
        "Los síntomas suelen mejorar después de unos días, aunque hay que descansar mucho.",
        "Mi hermana trabaja en una escuela pequeña donde enseña música a los niños.",
    ),
    "Dutch": (
        "De winkel is vandaag gesloten omdat het een feestdag is. Morgen zijn wij er weer.",
        "U kunt uw bestelling binnen veertien dagen terugsturen zonder kosten.",
        "Het heeft de hele nacht geregend, dus de weg langs het kanaal staat onder water.",
        "Vraag aan de balie naar een sleutel. De kamer is op de tweede verdieping.",
    ),
    "Polish": (
        "Pociąg odjeżdża o ósmej rano z peronu drugiego. Bilety można kupić w kasie.",
        "Proszę wypełnić formularz i oddać go w recepcji na pierwszym piętrze.",
        "Wczoraj przez cały dzień padał śnieg, dlatego droga do szkoły była zamknięta.",
        "Lekarz zalecił odpoczynek i dużo wody. Kolejna wizyta odbędzie się za tydzień.",
    ),
    "Russian": (
        "Магазин открыт каждый день с девяти утра до восьми вечера, кроме воскресенья.",
        "Пожалуйста, заполните анкету и отправьте её нам до конца недели.",
        "Вечером мы гуляли по набережной и смотрели, как корабли выходят в море.",
        "Врач сказал, что нужно больше спать и пить тёплый чай с мёдом.",
    ),
    "Chinese": (
        "商店每天早上九点开门，晚上八点关门。星期天休息。",
        "请先填写表格，然后把它交给前台的工作人员。",
        "医生说你应该多休息，多喝水，三天以后再来检查。",
        "我们沿着河边走了很久，最后在一座旧桥旁边停了下来。",
    ),
    "Arabic": (
        "المكتبة مفتوحة من التاسعة صباحا حتى السادسة مساء، وهي مغلقة يوم الجمعة.",
        "يرجى ملء الاستمارة وإرسالها إلينا قبل نهاية الأسبوع.",
        "قال الطبيب إن عليك أن ترتاح وتشرب الكثير من الماء.",
        "مشينا على ضفة النهر حتى وصلنا إلى الجسر القديم في المدينة.",
    ),
}
_HARMLESS = (
    "The French say c'est la vie, and they mean it.",
    "In German it is called Krankenversicherung.",
    "The Latin name is Staphylococcus aureus subspecies anaerobius.",
    "He sang La donna è mobile and then O sole mio.",
    "Hello in Russian is привет, as far as I know.",
    "The dish is called moules-frites à la crème.",
    "Tokyo is written 東京 in Japanese.",
    "Her motto was carpe diem, not memento mori.",
)


def plant_languages(bed: Bed) -> None:
    """Whole answers, or question and answer, in another language."""
    dice = bed.dice
    for language, paragraphs in PARAGRAPHS.items():
        own = dice.own(paragraphs)
        _plant(bed, f"{language}, one or two sentences", bed.take().put("answer", own[0]))
        _plant(bed, f"{language}, one or two sentences", _alone(bed.take()).put("answer", own[1]))
        _plant(bed, f"{language}, two paragraphs", _alone(bed.take()).put("answer", " ".join(own)))
        row = _alone(bed.take()).put("question", own[0]).put("answer", own[1])
        _plant(bed, f"{language}, question and answer", row)
    for sentence in dice.own(_HARMLESS):
        row = bed.take(words=20)
        row.put("answer", insert(row.text("answer"), sentence, dice))
        bed.plant(Defect(rule="other_language", variant="a foreign phrase", near_miss=True,
                         exact=False, rows=(row,)))  # fmt: skip


def _alone(row: Row) -> Row:
    """Of a dialogue the first exchange."""
    if "messages" in row.values:
        row.values["messages"] = row.values["messages"][:2]
    return row


def _plant(bed: Bed, variant: str, row: Row) -> None:
    if len(row.values.get("messages", ())) > 2:
        variant = "one turn of a dialogue"
    bed.plant(Defect(rule="other_language", variant=variant, exact=False, rows=(row,),
                     also=("near_duplicate", "duplicate", "conflicting_answers")))  # fmt: skip
