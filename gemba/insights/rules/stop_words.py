"""Words too common to tell one problem from another, in English and Russian, as data.

They are compared after normalising (lower case, ё as е), before stemming.
"""

_ENGLISH = """
about after again all also always am an and any are as at be because been before being both but by
can cannot could did do does doing done down during each every few for from further get gets getting
got had has have having he her here hers him his how if in into is it its itself just like made make
makes many may me might more most much must my no nor not now of off on once one only or other our
ours out over own per please same say says she should so some still such than that the their theirs
them then there these they this those through to too two under until up upon us very via was we were
what when where which while who whom whose why will with without would yet you your yours don didn
doesn isn wasn aren won couldn wouldn
"""
_RUSSIAN = """
без более бы был была были было быть вам вас ведь весь во вот все всего всегда всем всех всю вся вы
где да даже для до его ее ей ему если есть еще же за здесь из или им ими их как какая какие какой
когда кого кому которая которое которые который которых кто ли либо мне много может можно мой мы на
над надо нам нас наш не него нее ней нельзя нет ни них но ну об один одна одно он она они оно от
очень перед по под потом потому почему при про раз разве сам сама сами свой своя себе себя сейчас
снова со так такая также такие такой там тебя тем теперь то тогда того тоже той только том тот туда
тут ты уже хоть хотя чего чем что чтоб чтобы чуть эта эти это этого этой этом этот эту
"""
STOP_WORDS = frozenset((_ENGLISH + _RUSSIAN).split())
