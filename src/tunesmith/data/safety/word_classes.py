"""Classes of words that attacks on a model are composed of, as parts of expressions.

DROP + up to six words + RULES:   "throw out (all of the silly) guidelines"
"""

from __future__ import annotations


def gap(most: int) -> str:
    """Up to so many words of one sentence, and the blank before the next part."""
    return rf"(?:[,:]?\s+[^\s.;!?]+){{0,{most}}}?[,:]?\s+[\"'(*]*"


RULES = (
    r"(?:instructions?|rules?|rulebook|guidelines?|guard-?rails?|programming|training|polic(?:y"
    r"|ies)"
    r"|directives?|restrictions?|constraints?|limitations?|limits|filters?|safeguards?|principles"
    r"|ethics|morals?|morality|alignment|protocols?|conditioning|boundaries|censorship|shackles"
    r"|chains|safety(?: \w+)?|standards|prompts?|orders|commands|inhibitions|values|taboos|scruples"
    r"|laws|confines|conscience|compass|considerations|code of conduct)"
)
RULE_CUES = (
    "instruct", "rule", "guideline", "guardrail", "guard-rail", "programming", "training", "polic",
    "directive", "restrict", "constrain", "limit", "filter", "safeguard", "principles", "ethic",
    "moral", "alignment", "protocol", "conditioning", "boundar", "censor", "shackle", "safety",
    "standards", "prompt", " orders", "command", "inhibition", "taboo", "scruple", "confines",
    "conscience", " laws", " chains", "code of conduct",
)  # fmt: skip
"""Strings of which one stands in whatever RULES matches (but "compass", "values")."""
DROP = (
    r"(?:ignor(?:e|ing)|disregard(?:ing)?|forget(?:ting)?|overrid(?:e|ing)|overrul(?:e|ing)"
    r"|bypass(?:ing)?|discard(?:ing)?|abandon(?:ing)?|drop(?:ping)?|ditch(?:ing)?|scrap|throw"
    r"(?:ing)? (?:out|away)|thr[eo]wn? (?:out|away)|set(?:ting)? aside|put(?:ting)? aside"
    r"|toss(?:ing)?|shed(?:ding)?"
    r"|delet(?:e|ing)|eras(?:e|ing)|wip(?:e|ing)|purge|suspend(?:ing)?|lift|disabl(?:e|ing)"
    r"|switch(?:ing)? off|turn(?:ing)? off|deactivat(?:e|ing)|circumvent(?:ing)?|break(?:ing)?"
    r"|violat(?:e|ing)|suppress|unlearn|cast(?:ing)? (?:off|aside)|leave behind|escape|defy"
    r"|stop (?:following|obeying|applying|using)|(?:not|\w*n't|never|without|no longer|no need to) "
    r"(?:(?:have|need) to )?(?:follow(?:ing)?|obey(?:ing)?|abide by|heed(?:ing)?|honou?r|respect"
    r"|apply|mind|adhere to|comply with)|cancel|void|nullify|neglect"
    r"|let go of|(?:br[eo]ak(?:ing|en|s)?|broken?|free yourself|rid yourself"
    r"|unchain yourself) (?:free )?(?:of|from)"
    r"|free from|freed from|step outside|go beyond|look past|evade|evading|dodge|rebel against"
    r"|pay no (?:heed|attention|mind) to|take no notice of|strip away|shut off|skip|flout|reject"
    r"|put (?:your|all|every)|set (?:your|all|every)|leave (?:your|all)|switch (?:your|all)"
    r"|turn (?:your|all)|remove|unload|relinquish|dismiss|pretend)"
)
WHOSE = (
    r"(?:your|previous|prior|above|earlier|preceding|foregoing|openai(?:'s)?|anthropic(?:'s)?"
    r"|google(?:'s)?|developers?'?s?'?|creators?'?s?'?|makers?'?s?'?|system|safety|built-in"
    r"|chatgpt(?:'s)?|you(?:'ve| have| were| are|'re)?|hidden|pre-?set)"
)
MODEL = (
    r"(?:ais?\b|a\.i\.|artificial intelligences?\b|llms?\b|(?:large )?(?:language|foundation"
    r"|machine"
    r"[ -]learning) models?\b"
    r"|ai[ -](?:\w+)\b|chat ?-?bots?\b|chatgpt\b|gpt(?:-?\d)?\b|(?:virtual|digital|automated"
    r"|coding|smart) (?:assistants?|agents?|readers?|reviewers?|systems?)\b)"
)
PLAIN_MODEL = rf"(?:{MODEL}|(?:assistant|agent|model|bot|machine|computer)s?\b|claude\b|gemini\b)"
MODEL_CUES = (
    " ai ", " ai,", " ai:", " ai-", " ai.", " ai!", " ai;", " ai'", " ai)", " ais", "(ai", "[ai",
    "\nai",
    "*ai", "-ai", ">ai", "a.i.", "artificial intel", "llm", "e model", "n model", "g model",
    "model:", "model,", "models", "chatbot", "chat bot", "gpt", "assistant", "agent", "bots",
    "bot ",
    "bot,", "claude", "gemini", "automated", "machines", "digital ",
)  # fmt: skip
UNBOUND = (
    r"(?:evil|unfiltered|uncensored|unrestricted|amoral|unethical|immoral|jail-?broken|unaligned"
    r"|misaligned|rogue|unchained|unbound|unshackled|unhinged|lawless|limitless|unmoderated"
    r"|unconstrained|malicious|villainous|ruthless|liberated|rebellious|sinister|unregulated"
    r"|unrestrained|(?:no|zero)-(?:rules?|limits?|filters?)|(?:rule|filter|ethics|censor)-free"
    r"|shameless|wicked|unlocked|depraved|unscrupulous|untamed|uninhibited|unsafe|unlimited)"
)
UNBOUND_CUES = (
    "evil", "unfilter", "uncensor", "unrestrict", "amoral", "unethical", "immoral", "jail",
    "aligned",
    "rogue", "unchained", "unbound", "unshackled", "unhinged", "lawless", "limitless",
    "unmoderated",
    "unconstrained", "malicious", "villainous", "ruthless", "liberated", "rebellious", "sinister",
    "unregulated", "unrestrained", "no-rule", "no-limit", "no-filter", "zero-", "-free",
    "shameless",
    "wicked", "unlocked", "depraved", "unscrupulous", "untamed", "uninhibited", "unsafe",
    "unlimited",
)  # fmt: skip
