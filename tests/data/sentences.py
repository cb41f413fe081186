"""The same few answers in many languages: short, and a little longer."""

from __future__ import annotations

SENTENCES: dict[str, tuple[str, ...]] = {
    "de": (
        "Ja, der Laden ist von zehn bis fünf geöffnet.",
        "Die Krankheit ist selten und wird von den Eltern an die Kinder vererbt. Wer sie hat, "
        "sollte viel trinken und sich nicht in die Sonne setzen.",
    ),
    "fr": (
        "Oui, le magasin est ouvert de dix à cinq heures.",
        "La maladie est rare et se transmet des parents aux enfants. Il faut boire beaucoup et "
        "ne pas rester au soleil.",
    ),
    "es": (
        "Sí, la tienda está abierta de diez a cinco.",
        "La enfermedad es rara y pasa de los padres a los hijos. Hay que beber mucho y no "
        "ponerse al sol.",
    ),
    "it": (
        "Sì, il negozio è aperto dalle dieci alle cinque.",
        "La malattia è rara e passa dai genitori ai figli. Bisogna bere molto e non stare al sole.",
    ),
    "pt": (
        "Sim, a loja está aberta das dez às cinco.",
        "A doença é rara e passa dos pais para os filhos. É preciso beber muito e não ficar ao "
        "sol.",
    ),
    "nl": (
        "Ja, de winkel is open van tien tot vijf.",
        "De ziekte is zeldzaam en gaat van de ouders over op de kinderen. Wie haar heeft, moet "
        "veel drinken en niet in de zon zitten.",
    ),
    "sv": (
        "Ja, butiken är öppen från tio till fem.",
        "Sjukdomen är ovanlig och går från föräldrar till barn. Den som har den ska dricka "
        "mycket och inte sitta i solen.",
    ),
    "pl": (
        "Tak, sklep jest otwarty od dziesiątej do piątej.",
        "Choroba jest rzadka i przechodzi z rodziców na dzieci. Trzeba dużo pić i nie siedzieć "
        "na słońcu.",
    ),
    "tr": (
        "Evet, dükkan ondan beşe kadar açık.",
        "Hastalık nadirdir ve anne babadan çocuklara geçer. Çok su içmek ve güneşte oturmamak "
        "gerekir.",
    ),
    "vi": (
        "Vâng, cửa hàng mở cửa từ mười giờ đến năm giờ.",
        "Bệnh này hiếm gặp và truyền từ cha mẹ sang con cái. Người bệnh cần uống nhiều nước và "
        "không ngồi dưới nắng.",
    ),
    "id": (
        "Ya, toko itu buka dari jam sepuluh sampai jam lima.",
        "Penyakit ini jarang dan menurun dari orang tua kepada anak. Penderita harus banyak "
        "minum dan tidak duduk di bawah matahari.",
    ),
    "fi": (
        "Kyllä, kauppa on auki kymmenestä viiteen.",
        "Sairaus on harvinainen ja se periytyy vanhemmilta lapsille. Potilaan on juotava paljon "
        "eikä hän saa istua auringossa.",
    ),
    "ru": (
        "Да, магазин открыт с десяти до пяти.",
        "Болезнь редкая и передаётся от родителей детям. Нужно много пить и не сидеть на солнце.",
    ),
    "el": ("Ναι, το κατάστημα είναι ανοιχτό από τις δέκα.",),
    "ar": ("نعم، المتجر مفتوح من العاشرة إلى الخامسة.",),
    "zh": ("是的，商店从十点开到五点。",),
    "ja": ("はい、店は十時から五時まで開いています。",),
    "ko": ("네, 가게는 열 시부터 다섯 시까지 엽니다.",),
    "hi": ("हाँ, दुकान दस बजे से पाँच बजे तक खुली है।",),
    "sw": (
        "Ugonjwa huu ni nadra na hupita kutoka kwa wazazi kwenda kwa watoto. Mgonjwa anapaswa "
        "kunywa maji mengi na kutokaa juani.",
    ),
    "eu": (
        "Gaixotasun hau arraroa da eta gurasoengandik seme-alabengana pasatzen da. Ur asko edan "
        "behar da eta ez da eguzkitan egon behar.",
    ),
}
