"""Words that a harmful request is made with: the cheap half of the judgement.

    "How do I launder money?"   -> {"launder"}
    "When will my card arrive?" -> nothing: the classifier is never asked

The list is wide on purpose: it lets pass what cannot be harmful, and the classifier decides
on the rest. One look at a set of words costs some microseconds.
"""

from __future__ import annotations

import re

FORMS = """
bomb/s/ing/ings explosive/s explode/s explosion/s detonate/s/ing grenade/s gunpowder weapon/s
gun/s firearm/s rifle/s ammunition silencer bullet/s knife uranium nuclear ricin sarin nerve
poison/s/ed/ing/ous toxic venom cyanide virus/es infect/s/ed/ing pandemic spam/ming unsolicited
unwanted spoof/ing poach/ing hit-and-run locks lock burgle toxin/s/ contaminate/s sexually
children minors taxes election voters drug/s/ged/ging meth methamphetamine cocaine heroin opioid/s
opioids fentanyl narcotic/s lsd ecstasy cannabis marijuana substance/s overdose prescription/s
steroid/s alcohol drunk cigarette/s nicotine tobacco vape hack/s/ed/ing/er/ers malware ransomware
spyware keylogger/s trojan/s worm/s botnet/s rootkit/s backdoor/s exploit/s/ed/ing/ation
cyberattack/s cyber phish/ing ddos crack/s/ing bypass/es/ing password/s credential/s breach/es
penetrate/s infiltrate/s intercept/s eavesdrop hijack/s/ing vulnerability/ vulnerabilities
malicious unauthorized undetected injection firewall antivirus intrusion deface steal/s/ing
stole/n theft/s thief thieves rob/s/bed/bing/bery/beries burglary shoplift/ing pickpocket/ing
embezzle/ment fraud/s/ulent defraud/ing scam/s/ming/mer con swindle/s cheat/s/ing launder/ing
counterfeit/s/ing forge/d/ry fake/s/d fabricate/d falsify falsified bribe/s/ry bribing extort/ion
blackmail/ing ransom threat/s threaten/s/ing evade/s evading evasion smuggle/s smuggling
traffic/ing trafficking illegal/ly illicit unlawful/ly crime/s criminal/s perjury piracy pirate/d
download copyright copyrighted ponzi pyramid scheme/s insider manipulate/s manipulating
manipulation manipulative rig/ging stolen identity identities impersonate/s impersonating
plagiarize plagiarism mislead/s/ing deceive/s deceptive deceiving trick/s/ing dishonest evidence
caught hide hiding conceal/s/ing untraceable anonymous/ly suicide/s suicidal self-harm
harm/s/ed/ing/ful hurt/s/ing starve anorexia anorexic bulimia purge anorexics dangerous
reckless/ly unsafe myself deadly kill/s/ed/ing/er/ers murder/s/ed/ing/ous assassinate/s
assassination strangle stab/bing shoot/s/ing shooting/s torture/s/d torturing kidnap/ping/s
abduct/ing/ion attack/s/ing assault/s/ing rape/s raping massacre/s genocide terror terrorist/s
terrorism terrorize violence violent/ly execute hitman corpse arson arsonist riot/s mob lynch/ing
uprising overthrow sabotage/s sabotaging destroy/s/ing destruct/ion destruction disrupt/s/ing
derail collapse crash/es vandalize vandalise vandalism damage/s hostage abuse/s/d abusing abusive
animals cruelty slaughter revenge stalk/s/ing/er cyberstalk/ing spy spying surveillance
harass/es/ing/ment bully/ing bullies cyberbully/ing humiliate/s humiliating intimidate/s
intimidating dox/x/xing slander defame/s defamation defamatory insult/s/ing shame/s shaming
groom/ing lure/s seduce molest/ing pedophile/s pedophilia porn pornography pornographic nude/s
sexual/ly sex prostitution slave/s slavery underage teenager/s explicit obscene exploitative
intimate gaslight coerce/s privacy private invade leak/s/ing sensitive confidential classified
discriminate/s discriminating discrimination discriminatory racist racism racial sexist sexism
hate hatred hateful homophobic transphobic antisemitic xenophobic supremacy supremacist/s nazi/s
hitler holocaust inferior subhuman spies consent false harvest/s/ing denies unreported dehumanize
dehumanizing dehumanization oppress/ion oppressive stereotype/s offensive derogatory misogyny
misogynistic extremist/s extremism radical radicalize radicalise incite/s inciting propaganda
misinformation disinformation hoax conspiracy rumor/s rumour/s panic deepfake/s unethical immoral
harmful unhealthy unrealistic addiction addictive gamble gambling exploitive victim/s scare
terrorise jews muslims immigrants minorities addicted police authorities arrested enforcement
"""


def _spelled() -> frozenset[str]:
    words = set()
    for entry in FORMS.split():
        stem, *endings = entry.split("/")
        words |= {stem, *(stem + ending for ending in endings)}
    return frozenset(words)


HARM_WORDS = _spelled()
_WORDS = re.compile(r"[a-z]+(?:-harm)?")


def words_of(text: str) -> set[str]:
    """The words of a text in small letters, apostrophes and digits aside."""
    return set(_WORDS.findall(text.lower()))


def names_harm(text: str) -> bool:
    """Whether a text has a word that harmful requests are made with."""
    return not HARM_WORDS.isdisjoint(_WORDS.findall(text.lower()))
