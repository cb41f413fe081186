"""Names, streets, towns and numbers as eight countries write them.

All of them are put together by chance; half of each list is for each half of the bench.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.audit.dice import UPPER, Dice

COUNTRIES = ("US", "GB", "DE", "FR", "ES", "IT", "NL", "IN")
_GIVEN = {
    "US": "Brandon Ashley Tyler Megan Curtis Heather Dustin Kaitlyn Wade Brenda Troy Marcia",
    "GB": "Alistair Gemma Nigel Imogen Callum Bronwen Rupert Fiona Gareth Harriet Hamish Philippa",
    "DE": "Jürgen Heike Matthias Anja Torsten Birgit Uwe Sabine Ralf Silke Dieter Katrin",
    "FR": "Thierry Sandrine Benoît Mathilde Pascal Élodie Gérard Aurélie Yves Solène Luc Maëlle",
    "ES": "Álvaro Nuria Joaquín Rocío Ignacio Pilar Sergio Inmaculada Íñigo Lucía Manuel Begoña",
    "IT": "Gianluca Federica Massimo Chiara Davide Ilaria Fabrizio Giulia Renato Paola Enzo Silvia",
    "NL": "Maarten Sanne Joost Femke Wouter Marijke Ruben Anneke Sjoerd Lotte Hendrik Ilse",
    "IN": "Rajesh Priya Suresh Ananya Vikram Lakshmi Arjun Deepika Sanjay Kavita Manoj Sunita",
}
_FAMILY = {
    "US": "Hendricks Caldwell Morrison Whitaker Delgado Simmons Barrett Kowalski Prescott Yates",
    "GB": "Blackwood Pemberton Hargreaves Ashworth Fairclough Llewellyn Thistlewood Ramsbottom "
    "McAllister Entwistle",
    "DE": "Schreiber Vogelsang Krüger Brandt Lindemann Hoffmann Zimmermann Pfeiffer Böhm Nowak",
    "FR": "Lefebvre Marchand Rousseau Chevalier Delacroix Fournier Gauthier Perrin Lemoine Bonnet",
    "ES": "Fernández Ibáñez Castaño Villanueva Ortega Zamora Quintana Navarro Pardo Echeverría",
    "IT": "Bianchi Ferrara Lombardi Mancini Pellegrini Caruso Santoro Moretti Bellini Gallo",
    "NL": "Visser Dijkstra Bakker Hoekstra Mulder Verhoeven Brouwer Kuipers Postma Schouten",
    "IN": "Sharma Iyer Banerjee Chaudhary Reddy Deshpande Nair Kulkarni Mehta Srinivasan",
}
_STREETS = {
    "US": "Maple,Willow Creek,Sycamore,Lincoln,Harbor View,Chestnut,Old Mill,Ridgeway",
    "GB": "Victoria,Church,Queensway,Mill,Station,Albert,Primrose,Kingsley",
    "DE": "Goethe,Linden,Bahnhof,Schiller,Garten,Mozart,Berg,Wiesen",
    "FR": "de la République,Victor Hugo,des Lilas,du Moulin,Jean Jaurès,de la Paix,"
    "des Écoles,Pasteur",
    "ES": "Mayor,de Alcalá,San Miguel,Cervantes,del Sol,Colón,de la Luna,Santa Ana",
    "IT": "Garibaldi,Mazzini,Roma,Dante Alighieri,Verdi,Cavour,Manzoni,San Marco",
    "NL": "Beethoven,Kerk,Dorps,Molen,Wilhelmina,Nassau,Linden,Haven",
    "IN": "MG,Nehru,Gandhi,Station,Brigade,Park,Lake View,Temple",
}
_TOWNS = {
    "US": "Dayton OH,Tulsa OK,Boise ID,Fresno CA,Macon GA,Toledo OH,Salem OR,Waco TX",
    "GB": "Leeds,York,Bristol,Exeter,Norwich,Derby,Dundee,Cardiff",
    "DE": "Kassel,Bremen,Erfurt,Augsburg,Münster,Rostock,Mainz,Jena",
    "FR": "Nantes,Rennes,Dijon,Lille,Angers,Tours,Reims,Grenoble",
    "ES": "Zaragoza,Málaga,Burgos,Murcia,Gijón,Cádiz,Toledo,Vigo",
    "IT": "Bologna,Verona,Perugia,Bari,Modena,Padova,Lecce,Trieste",
    "NL": "Utrecht,Groningen,Breda,Zwolle,Leiden,Arnhem,Delft,Haarlem",
    "IN": "Pune,Nagpur,Mysuru,Kochi,Jaipur,Lucknow,Indore,Surat",
}
_STREET_WORDS = {
    "US": ("Street", "Avenue", "Dr.", "Ln", "Road", "Blvd", "Court", "St."),
    "GB": ("Road", "Street", "Lane", "Close", "Terrace", "Gardens", "Crescent", "Avenue"),
}
_AREAS = {
    "US": "614 312 503 206 404 617 720 919",
    "GB": "20 161 113 121 131 117 141 29",
    "DE": "30 89 40 221 69 711 351 511",
    "IN": "98 99 97 70 88 90 81 95",
}
_MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who does not exist."""

    given: str
    family: str

    @property
    def name(self) -> str:
        """Given name and family name."""
        return f"{self.given} {self.family}"


def person(dice: Dice, country: str) -> Person:
    """A given name and a family name of a country."""
    return Person(dice.of(_GIVEN[country].split()), dice.of(_FAMILY[country].split()))


def phone(dice: Dice, country: str) -> str:
    """A number in one of the ways in which the country writes it."""
    forms = {
        "US": _phone_us, "GB": _phone_gb, "DE": _phone_de, "FR": _phone_fr,
        "ES": _phone_es, "IT": _phone_it, "NL": _phone_nl, "IN": _phone_in,
    }  # fmt: skip
    return dice.random.choice(forms[country](dice))


def _phone_us(dice: Dice) -> list[str]:
    area = dice.of(_AREAS["US"].split())
    head, tail = dice.digits(1, first="23456789") + dice.digits(2, first="02345678"), dice.digits(4)
    return [f"({area}) {head}-{tail}", f"{area}-{head}-{tail}", f"+1 {area} {head} {tail}",
            f"{area}.{head}.{tail}", f"1-{area}-{head}-{tail}"]  # fmt: skip


def _phone_gb(dice: Dice) -> list[str]:
    mobile = f"7{dice.random.choice('4589')}00 {dice.digits(3, first='123456789')}"
    tail, last = dice.digits(3), dice.digits(4)
    return [f"0{mobile}{tail}", f"+44 {mobile} {tail}", f"+44 (0){mobile} {tail}",
            f"020 7{tail} {last}", f"+44 20 7{tail} {last}"]  # fmt: skip


def _phone_de(dice: Dice) -> list[str]:
    area = dice.of(_AREAS["DE"].split())
    number = dice.digits(7, first="23456789")
    mobile = f"15{dice.number(1, 2)} {dice.digits(4)} {dice.digits(4)}"
    return [f"0{area}/{number}", f"+49 {area} {number}", f"0{area} {number[:3]} {number[3:]}",
            f"+49 {mobile}", f"0{mobile}", f"0049 {area} {number}"]  # fmt: skip


def _phone_fr(dice: Dice) -> list[str]:
    twos = [dice.digits(2) for _ in range(4)]
    mobile = dice.random.choice("67")
    twos[0] = f"{dice.number(4, 7)}{twos[0][1]}"
    return [f"0{mobile} {' '.join(twos)}", f"+33 {mobile} {' '.join(twos)}",
            f"0{mobile}.{'.'.join(twos)}", f"0{mobile}{''.join(twos)}",
            f"0033 {mobile} {' '.join(twos)}"]  # fmt: skip


def _phone_es(dice: Dice) -> list[str]:
    first = f"6{dice.number(10, 99)}"
    a, b, c = dice.digits(2), dice.digits(2), dice.digits(2)
    return [f"{first} {a} {b} {c}", f"+34 {first} {a}{b[0]} {b[1]}{c}", f"{first}{a}{b}{c}",
            f"+34 {first}{a}{b}{c}", f"91 {dice.digits(3, first='2345')} {a} {b}"]  # fmt: skip


def _phone_it(dice: Dice) -> list[str]:
    first = f"3{dice.random.choice(('20', '28', '33', '38', '40', '47', '49'))}"
    tail = dice.digits(7, first="123456789")
    return [f"{first} {tail}", f"+39 {first} {tail[:3]} {tail[3:]}", f"{first}-{tail}",
            f"+39 06 {dice.digits(8, first='4567')}", f"0039 {first} {tail}"]  # fmt: skip


def _phone_nl(dice: Dice) -> list[str]:
    tail = dice.digits(8, first="1234")
    land = dice.digits(7, first="23456")
    return [f"06-{tail}", f"+31 6 {tail}", f"06 {tail[:2]} {tail[2:4]} {tail[4:6]} {tail[6:]}",
            f"020-{land}", f"+31 20 {land[:3]} {land[3:]}", f"0031 6 {tail}"]  # fmt: skip


def _phone_in(dice: Dice) -> list[str]:
    first = dice.of(_AREAS["IN"].split())
    a, b = dice.digits(3, first="1234567"), dice.digits(5)
    return [f"+91 {first}{a} {b}", f"0{first}{a}{b}", f"+91-{first}{a}{b}", f"{first}{a}-{b}",
            f"+91 {first}{a}{b}"]  # fmt: skip


def address(dice: Dice, country: str) -> str:
    """House, street, postcode and town in the order of the country."""
    street = dice.of(_STREETS[country].split(","))
    town = dice.of(_TOWNS[country].split(","))
    house = dice.number(2, 240)
    code = dice.digits(5, first="12345678")
    if country == "US":
        kind = dice.of(_STREET_WORDS["US"])
        place, state = town.rsplit(" ", 1)
        return f"{dice.number(100, 9800)} {street} {kind}, {place}, {state} {code}"
    if country == "GB":
        post = f"{dice.text('BCDELMNS', 1)}{dice.text('ABDEHNRSTY', 1)}{dice.number(1, 28)}"
        post += f" {dice.number(1, 9)}{dice.text('ABDEFGHJLNPQ', 2)}"
        return f"{house} {street} {dice.of(_STREET_WORDS['GB'])}, {town} {post}"
    if country == "IN":
        pin = f"{dice.digits(3, first='1234567')} {dice.digits(3)}"
        return f"Flat {dice.number(1, 40)}, {house} {street} Road, {town} - {pin}"
    return {
        "DE": f"{street}straße {house}, {code} {town}",
        "FR": f"{house} rue {street}, {code} {town}",
        "ES": f"Calle {street} {house}, {dice.number(1, 9)}º B, 0{code[:4]} {town}",
        "IT": f"Via {street} {house}, {code} {town}",
        "NL": f"{street}straat {house}, {code[:4]} {dice.text(UPPER[:18], 2)} {town}",
    }[country]


def birthday(dice: Dice, country: str) -> str:
    """A day between 1940 and 2004 in the country's way of writing dates."""
    day, month, year = dice.number(1, 28), dice.number(1, 12), dice.number(1940, 2004)
    name = _MONTHS[month - 1]
    forms = {
        "US": [f"{month:02}/{day:02}/{year}", f"{name} {day}, {year}", f"{month}/{day}/{year}"],
        "GB": [f"{day:02}/{month:02}/{year}", f"{day} {name} {year}"],
        "DE": [f"{day:02}.{month:02}.{year}", f"{day}.{month}.{year}"],
        "FR": [f"{day:02}/{month:02}/{year}"],
        "ES": [f"{day}/{month:02}/{year}", f"{day:02}-{month:02}-{year}"],
        "IT": [f"{day:02}/{month:02}/{year}", f"{day:02}.{month:02}.{year}"],
        "NL": [f"{day:02}-{month:02}-{year}"],
        "IN": [f"{day:02}-{month:02}-{year}", f"{year}-{month:02}-{day:02}"],
    }
    return dice.random.choice(forms[country])


def email(dice: Dice) -> str:
    """An address of an invented person at an invented host."""
    somebody = person(dice, dice.random.choice(("US", "GB", "NL", "IN")))
    given, family = somebody.given.lower(), somebody.family.lower()
    host = dice.text("bcdfghjklmnprstvw", 1) + dice.text("aeiou", 1) + dice.text("lmnrstk", 2)
    host += dice.text("aeiou", 1) + dice.text("lmnrst", 1)
    ends = ("com", "org", "co.uk", "de", "net", "io", "fr", "in", "museum", "nl", "edu", "es")
    forms: list[Callable[[], str]] = [
        lambda: f"{given}.{family}@{host}.{dice.of(ends)}",
        lambda: f"{given[0]}{family}{dice.number(1, 99)}@{host}.{dice.of(ends)}",
        lambda: f"{given}_{family}+{dice.text('abcdefgh', 4)}@mail.{host}.{dice.of(ends)}",
        lambda: f"{given.upper()}.{family.upper()}@{host.upper()}.{dice.of(ends).upper()}",
    ]
    return dice.random.choice(forms)()


def medical_record(dice: Dice) -> str:
    """What clinics write on a file."""
    forms = (
        dice.digits(7, first="123456789"), dice.digits(8, first="123456789"),
        f"{dice.text(UPPER, 2)}{dice.digits(6)}", f"{dice.digits(3)}-{dice.digits(2)}-"
        f"{dice.digits(3)}", f"{dice.text(UPPER, 1)}-{dice.digits(7)}",
    )  # fmt: skip
    return dice.random.choice(forms)


def ip(dice: Dice) -> str:
    """A public IPv4 or an IPv6 address."""
    if dice.chance(0.35):
        groups = [f"{dice.number(1, 65535):x}" for _ in range(5)]
        full = [f"{dice.number(1, 65535):x}" for _ in range(8)]
        return dice.random.choice((f"2a02:{':'.join(groups)}::1", "2001:" + ":".join(full[1:])))
    first = dice.random.choice((23, 46, 81, 93, 104, 151, 178, 185, 203, 212))
    return f"{first}.{dice.number(1, 254)}.{dice.number(0, 254)}.{dice.number(1, 254)}"
