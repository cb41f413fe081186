"""The small words of languages: articles, pronouns, conjunctions, by which a sentence is known.

    "Wo ist der Bahnhof?"   ->   ist, der   ->   German

A cheap first look; the words of a language are chosen so that its neighbours share few of them.
Latin, Cyrillic and Arabic script are written in by several languages and have lists here; the
languages of other scripts are known by their letters.
"""

from __future__ import annotations

_LISTS = {
    "en": """the of and to is that it for was with are be this have from they which you not what
        there their were will would can if when who has more about how your it's i'm
        don't we she his her been than or by an on as at my i does did could should
        its our them these those why where no some many any all up out me us am
        because please need here's i'd let after before between into only also so
        but such make using""",
    "de": """an in wer muss man der die das und ist nicht ein eine einen einem einer mit auf
        für von dem den des zu
        sich auch wird werden wie oder aber bei nach kann können sind haben hat ich
        sie wir ihr es als wenn durch noch nur zum zur über was wo wurde dass sehr
        mehr im am bis vom ja nein bitte uhr mein kein dieser diese dieses""",
    "fr": """de un le la les des est et une dans pour que qui pas sur avec ce cette sont par
        plus vous
        nous je il elle ils mais ou où être avoir ont aux du au ne se leur comme
        tout très votre c'est n'est d'un d'une qu'il peut fait sans lors""",
    "es": """el los las una y que es por con para como más pero su sus se lo al del está son fue
        este esta ser muy también hay cuando sin sobre entre desde puede ha han qué
        cómo usted yo mi nos porque donde""",
    "it": """il lo gli di che è e un una per non con sono della delle dei del nel nella alla più
        come anche ma si ha questo questa essere dal dalla sul molto può suo sua
        loro quando perché cosa degli agli""",
    "pt": """o os as um uma de do da dos das e que não em para com por se na no mais como mas foi
        ao ele ela são está ser tem seu sua você muito também já quando isso pelo
        pela é à às até sobre nos nas""",
    "nl": """de het een en van is dat niet op te zijn met voor die er aan ook als maar om bij
        naar uit wordt worden door kan heeft hebben wat deze dit ik je wij zij of
        nog meer over hoe waar hun geen""",
    "sv": """och att det är en ett som på för av med den inte till har om jag du vi kan var från
        eller men de när så vad hur sin också finns mycket efter vid än blir ska""",
    "da": """og at det er en et som på for af med den ikke til har om jeg du vi kan var fra eller
        men de når så hvad hvordan sin også meget efter ved bliver skal hvor noget""",
    "no": """og at det er en et som på for av med den ikke til har om jeg du vi kan var fra eller
        men de når så hva hvordan sin også mye etter ved blir skal hvor noe""",
    "fi": """ja on ei se että hän oli ovat mutta kun niin myös kuin joka tai jos sen ole voi mitä
        minä sinä me te he tämä olla sekä ovat vain noin hyvin jotka""",
    "is": """og að er ekki það við sem um til með en var hann hún þetta þú ég frá eða eru hefur
        verið hvað þegar""",
    "pl": """i w nie na się jest z do to że jak ale po co tak od przez dla czy są był być ma może
        jego oraz które który która tym tego ich już""",
    "cs": """a v je se na to že s z do ale o pro jako by jsou byl být jeho který která které nebo
        když také jsem si co po od mezi může""",
    "sk": """a v je sa na to že s z do ale o pre ako by sú bol byť jeho ktorý ktorá ktoré alebo
        keď tiež som si čo po od medzi môže""",
    "sl": """in je v na se da za so z ki ne pa po od kot bil bi ali tudi ter iz lahko če kako pri
        med samo njegov""",
    "hr": """i je u na se da za su od s koji koja koje kao bi nije ili ali sam to što iz kako
        bilo može samo biti ako njegov""",
    "hu": """a az és hogy nem is egy van volt de meg ez mint csak már vagy ha el még kell lehet
        azt ezt amely hogyan mi én ő minden""",
    "ro": """și în de la cu pe nu este un o care să din pentru mai au fost sunt ce dar se al ale
        sau prin după când cum acest această poate""",
    "tr": """ve bir bu için da de ile çok ne var mi olarak daha gibi olan ama o en kadar sonra
        değil ben sen nasıl her şey veya""",
    "vi": """và của là có cho không được trong một những các với người này để đã khi từ như tôi
        bạn về ra thì ở nhưng cũng""",
    "id": """yang dan di ini itu untuk dengan tidak dari dalam adalah akan pada juga ke karena
        ada bisa saya anda oleh atau sudah mereka kami seperti apa""",
    "tl": """ang ng sa na mga ay at ko ka hindi ito siya para kung may mo niya ako ni kay namin
        din lang""",
    "sw": """ya na wa kwa ni katika la za kuwa hii cha yake au kama lakini hiyo wake sana huo
        vya""",
    "ca": """el els les una i que és per amb com més però del dels al són aquest aquesta no també
        quan molt seva pot ha han hi entre""",
    "lt": """ir yra kad su iš į ne tai bet kaip ar po už jis ji buvo nuo apie gali jo kuris labai
        dėl""",
    "lv": """un ir ka ar no uz par bet kā vai pēc ne tas viņš viņa bija var šo kas ļoti lai""",
    "et": """ja on ei et see ta oli kui ka aga või mis nii oma selle kes pole välja siis ning""",
    "sq": """dhe të në një për me është nga që se më si ka por nuk kjo ky janë do u""",
    "af": """die en van is nie het dat vir met om te hy sy wat ook aan sal kan as was hulle ek
        jy""",
    "la": """et est non ad quod cum sunt ut ex per sed qui quae esse aut enim etiam hoc""",
    "ru": """и в не на что с он как это по из за у от к но она они его для был так же мы вы я или
        если может быть есть""",
    "uk": """і в не на що з він як це по та у від до але вона вони його для був так ми ви я або
        якщо може бути є й""",
    "bg": """и в не на че с той като това по за от до но тя те му се да е са към или ако може
        беше има който""",
    "sr": """и је у на се да за су од са који која које као би није или али сам то што из како""",
    "ar": """في من على إلى أن هذا هذه التي الذي ما لا هو هي كان عن مع كل أو لم قد بعد كما""",
    "fa": """و در به از که این را با است برای آن یک می های شود کرد ما او تا هم بر""",
    "ur": """کے کی کا میں ہے اور سے کو پر نے یہ وہ کہ ایک ہیں تھا بھی نہیں کر""",
}
LANGUAGES: tuple[str, ...] = tuple(_LISTS)
LANGUAGES_OF: dict[str, tuple[str, ...]] = {
    word: tuple(language for language, words in _LISTS.items() if word in words.split())
    for word in sorted({word for words in _LISTS.values() for word in words.split()})
}
"""The languages that a word is one of the small words of."""
