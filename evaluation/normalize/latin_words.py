"""Cyrillic spellings of Latin words where the letters do not tell them: data, no logic.

Two columns, Latin and Cyrillic, set side by side.

Frequent words of film, song and shop names by English pronunciation (practical transcription, with
`э` and `е`, doubled letters, `оу` and `о` left open: `spelling` folds them). Written from general
knowledge of the language, not from any data set's references. An underscore stands for a space.
"""

# ruff: noqa: SIM905  word lists read best as text
from __future__ import annotations


def _pairs(text: str) -> dict[str, str]:
    fields = text.replace("ё", "е").split()
    return {
        latin: cyrillic.replace("_", " ") for latin, cyrillic in zip(fields[::2], fields[1::2], strict=True)
    }


ENGLISH = _pairs("""
the зе  a а  an эн  and энд  of оф  to ту  in ин  on он  for фор  with виз  at эт  by бай  from фром
is из  are ар  be би  i ай  me ми  my май  you ю  your ер  he хи  his хиз  she ши  her хер  we ви  us ас
our аур  it ит  its итс  they зей  them зем  this зис  that зет  what вот  who ху  why вай  how хау
when вен  where вер  which вич  not нот  no ноу  yes йес  don't донт  one ван  two ту  three сри  four фо
five файв  six сикс  seven севен  eight эйт  nine найн  ten тен  first ферст  second секонд  last ласт
next некст  new нью  old олд  good гуд  bad бэд  best бест  better беттер  great грейт  big биг
little литл  small смол  high хай  low лоу  long лонг  top топ  hot хот  cold колд  cool кул  black блэк
white вайт  red ред  green грин  blue блю  yellow еллоу  orange оранж  pink пинк  purple перпл  gold голд
golden голден  silver сильвер  brown браун  gray грей  grey грей  dark дарк  light лайт  night найт
day дэй  days дэйз  today тудэй  everyday эвридэй  every эври  morning морнинг  evening ивнинг  time тайм
times таймс  year йер  week вик  weekend викенд  hour аур  minute минит  monday мандей  friday фрайдей
sunday сандей  summer саммер  winter винтер  spring спринг  autumn отум  love лав  lover лавер
lovely лавли  heart харт  hearts хартс  kiss кисс  baby бейби  girl герл  girls герлз  boy бой  boys бойз
man мэн  men мен  woman вумен  women вимен  people пипл  friend френд  friends френдс  mother мазер
father фазер  brother бразер  brothers бразерс  sister систер  family фэмили  child чайлд
children чилдрен  kids кидс  kid кид  lady леди  king кинг  queen квин  prince принс  princess принцесс
god год  devil девил  angel энджел  angels энджелс  hell хелл  heaven хевен  life лайф  live лайв
living ливинг  die дай  dead дэд  death дэс  kill килл  killer киллер  war вор  wars варс  peace пис
world ворлд  earth ерс  moon мун  sun сан  star стар  stars старс  sky скай  space спейс  galaxy гэлакси
fire файр  water вотер  rain рейн  snow сноу  ice айс  wind винд  storm сторм  sea си  ocean оушен
river ривер  island айленд  mountain маунтин  city сити  town таун  street стрит  road роуд  way вей
home хоум  house хаус  room рум  door дор  garden гарден  park парк  school скул  club клаб  bar бар
hotel хотел  market маркет  shop шоп  shopping шопинг  store стор  mall молл  center центр  centre центр
studio студио  beauty бьюти  fashion фэшн  style стайл  fitness фитнес  sport спорт  sports спортс
game гейм  games геймс  gamer геймер  gaming гейминг  play плей  player плеер  team тим  football футбол
soccer соккер  hockey хоккей  basketball баскетбол  racing рейсинг  race рейс  fight файт  fighter файтер
fighting файтинг  champion чемпион  champions чемпионс  league лиг  premier премьер  music мьюзик
song сонг  songs сонгс  dance дэнс  dancing дэнсинг  dancer дэнсер  party пати  rock рок  pop поп  rap рэп
hip хип  hop хоп  jazz джаз  blues блюз  metal метал  beat бит  bass бэйс  sound саунд  sing синг
singer сингер  radio радио  show шоу  movie муви  movies мувис  film филм  films филмс  cinema синема
video видео  channel ченел  series сериес  season сизон  story стори  stories сторис  history хистори
news ньюс  magazine мэгазин  book бук  books букс  comedy комеди  drama драма  horror хоррор  action экшн
fantasy фэнтези  cartoon картун  network нетворк  nature нейчер  animal энимал  animals энималс
planet плэнет  discovery дискавери  travel трэвел  adventure эдвенчер  science сайнс  fiction фикшн
magic мэджик  dream дрим  dreams дримс  land лэнд  real реал  true тру  fun фан  funny фанни  happy хэппи
birthday берсдэй  crazy крейзи  sweet свит  sugar шугар  candy кэнди  honey хани  food фуд  burger бургер
burgers бургерс  pizza пицца  sushi суши  coffee кофе  tea ти  cafe кафе  restaurant ресторан  bread бред
cake кейк  chicken чикен  fish фиш  meat мит  beer бир  wine вайн  apple эппл  cherry черри  lemon лемон
cat кэт  dog дог  dogs догс  bear бир  bird берд  birds бердс  wolf вулф  lion лайон  tiger тайгер
dragon дрэгон  dragons дрэгонс  horse хорс  monkey манки  mouse маус  rabbit рэббит  fox фокс
spider спайдер  bat бэт  batman бэтмен  superman супермен  super супер  hero хиро  heroes хироус
iron айрон  steel стил  stone стоун  stones стоунз  money мани  cash кэш  card кард  bank банк  pay пэй
free фри  full фулл  half хаф  double дабл  single сингл  up ап  down даун  out аут  over овер
under андер  back бэк  off офф  away эвэй  here хир  there зер  now нау  never невер  ever эвер
forever форевер  again эгейн  always олвейс  all ол  some сам  any эни  more мор  much мач  many мэни
go гоу  going гоуинг  come кам  get гет  give гив  take тейк  make мейк  made мейд  let лет  run ран
running раннинг  fast фаст  furious фьюриос  walk волк  walking вокинг  stop стоп  start старт  move мув
fly флай  jump джамп  ride райд  drive драйв  driver драйвер  car кар  cars карс  auto авто  moto мото
truck трак  bus бас  train трейн  air эйр  ship шип  see си  look лук  watch вотч  eye ай  eyes айс
face фейс  hand хэнд  hands хэндс  head хед  body боди  blood блад  bone боун  know ноу  think синк
say сей  said сед  tell телл  talk ток  call колл  feel фил  feeling филинг  want вонт  need нид
like лайк  believe билив  remember римембер  forget форгет  lost лост  found фаунд  find файнд
fallen фоллен  break брейк  breaking брейкинг  broken брокен  cry край  smile смайл  laugh лаф  touch тач
hold холд  can кэн  could куд  will вил  would вуд  should шуд  must маст  do ду  does даз  did дид
done дан  have хэв  has хэз  had хэд  was воз  were вер  been бин  am эм  so соу  too ту  very вери
just джаст  only онли  if иф  or ор  but бат  than зэн  then зен  young янг  beautiful бьютифул
pretty притти  nice найс  wild вайлд  strange стрейндж  stranger стрейнджер  things сингс  thing синг
something самсинг  nothing насинг  everything эврисинг  else элс  other азер  mind майнд  soul соул
power пауэр  energy энерджи  force форс  master мастер  duty дьюти  honor хонор  glory глори
freedom фридом  evil ивил  ghost гоуст  monster монстр  zombie зомби  vampire вампир  witch вич
wizard визард  alien эйлиен  aliens эйлиенс  gun ган  guns ганс  bullet буллет  knife найф  sword сворд
tank танк  tanks танкс  battle бэттл  strike страйк  legend леджэнд  legends леджендс  mortal мортал
combat комбат  quest квест  crush краш  clash клэш  royal роял  royale рояль  craft крафт  box бокс
zone зон  line лайн  online онлайн  phone фон  smart смарт  plus плюс  premium премиум  pro про  max макс
ultra ультра  mini мини  mega мега  maxi макси  lux люкс  deluxe делюкс  vip вип  web веб  net нет
site сайт  mail мейл  chat чат  link линк  app эпп  apps эппс  data дата  digital диджитал  tech тек
computer компьютер  laptop лэптоп  note ноут  notebook ноутбук  pad пэд  pods подс  buds бадс  wave вейв
wall волл  windows виндовс  window виндоу  office офис  cloud клауд  north норс  south саус  east ист
west вест  western вестерн  american американ  america америка  russia раша  russian рашн  english инглиш
british бритиш  london лондон  york йорк  paris пэрис  hollywood голливуд  chicago чикаго  john джон
jack джек  james джеймс  george джордж  michael майкл  david дэвид  peter питер  paul пол  mark марк
mike майк  tom том  jerry джерри  bill билл  joe джо  joy джой  jane джейн  mary мэри  kate кейт
charlie чарли  harry гарри  potter поттер  tony тони  steve стив  chris крис  alex алекс  andrew эндрю
daniel дэниел  sam сэм  nick ник  taylor тейлор  jackson джексон  wick вик  holmes холмс  sherlock шерлок
rose роуз  grace грейс  justin джастин  uber убер  ozon озон  sber сбер  sberbank сбербанк  yandex яндекс
amediateka амедиатека  kinopoisk кинопоиск  eurosport евроспорт  avengers мстители  amazon амазон
angry энгри  mirror миррор  pool пул  thrones тронс  fury фьюри  use юз  used юзд  muse мьюз  human хьюман
future фьючер  picture пикчер  culture калчер  wi вай  fi фай  hi хай  wow вау  oh оу  hey хей  ok ок
okay окей  bye бай  please плиз  sorry сорри  thank сэнк  thanks сэнкс
""")

# Abbreviations that are read letter by letter though they have a vowel letter.
SPELLED_OUT = frozenset(
    "usb hdmi ac ufc gta id ip ai diy ui ios iq eu uk usa ceo aka amg auc dna fm am pm abc imdb".split()
)

# Abbreviations that Russian writes as one word.
ABBREVIATIONS = _pairs("""
nba нба nhl нхл fifa фифа uefa уефа sms смс spa спа sim сим apl апл hd эйч_ди fhd фулл_эйч_ди
uhd ультра_эйч_ди cs кс dj диджей mc эмси pdf пдф qr кьюар bmw бмв kfc кфс mtv эм_ти_ви nasa наса ikea икеа
""")

# Canonical spelling of a name: all spellings that are taken for it, Cyrillic ones also with a noun's ending.
NAMES: dict[str, tuple[str, ...]] = {
    canonical.replace("_", " "): tuple(spelling.replace("_", " ") for spelling in spellings)
    for canonical, *spellings in (
        line.split()
        for line in """
        ютуб youtube you_tube ютюб ютьюб ютъюб юутуб ютьб ютуп ютубчик
        рутуб rutube рутьюб рутюб
        нетфликс netflix нэтфликс
        вай_фай wifi вайфай
        айфон iphone
        айпад ipad
        эппл apple эпл
        гугл google гугол
        вотсап whatsapp whats_app ватсап вацап вотсапп ватсапп вотцап
        инстаграм instagram инстаграмм
        телеграм telegram
        тик_ток tiktok тикток
        вайбер viber
        скайп skype
        зум zoom
        твиттер twitter
        фейсбук facebook фэйсбук
        твич twitch
        тв tv ти_ви тэ_вэ
        дискорд discord
        спотифай spotify
        шазам shazam
        стим steam
        иви ivi айви
        окко okko
        мегого megogo
        вайлдберриз wildberries вайлдберис вайлдбериз валдберис
        алиэкспресс aliexpress али_экспресс
        авито avito
        самсунг samsung
        сяоми xiaomi ксиаоми ксяоми шаоми
        хуавей huawei
        сони sony
        плейстейшен playstation play_station плейстейшн плэйстейшен
        иксбокс xbox икс_бокс
        нинтендо nintendo
        майнкрафт minecraft
        роблокс roblox
        фортнайт fortnite
        дота dota
        пабг pubg пубг
        марвел marvel марвэл
        дисней disney
        пиксар pixar
        никелодеон nickelodeon
        виасат viasat
        хаммали hammali
        пепси pepsi
        кока_кола cocacola coca_cola кокакола
        макдональдс mcdonalds mcdonald's макдоналдс
        старбакс starbucks
        бургер_кинг burgerking burger_king
        додо dodo
        адидас adidas
        найк nike
        тойота toyota
        мерседес mercedes
        хендай hyundai хендэ хундай хендэй
        фольксваген volkswagen
        порше porsche
        рено renault
        шевроле chevrolet
        пежо peugeot
        ситроен citroen
        андроид android
        виндовс windows виндоус
        блютуз bluetooth блютус
        битлз beatles битлс
        эминем eminem
        рианна rihanna
        бейонсе beyonce
        моргенштерн morgenstern моргенштерн
        киану keanu
        теле_два tele2 теле2
        """.strip().splitlines()
    )
}

# Names of the letters, Latin and as Russians say them; the first is what stands for the letter.
LETTER_NAMES: dict[str, tuple[str, ...]] = {
    letter: tuple(name.replace("_", " ") for name in names)
    for letter, *names in (
        line.split()
        for line in """
        a эй; b би бэ б; c си цэ ц; d ди дэ д; e е; f эф ф; g джи гэ; h эйч аш; i ай; j джей; k ка кей кэй;
        l эл эль л; m эм м; n эн н; o оу; p пи пэ п; q кью; r ар эр р; s эс; t ти тэ т; u ю; v ви вэ;
        w дабл_ю; x икс; y уай игрек; z зет зэт
        """.split(";")
    )
}

AS_THEY_SOUND_1 = {"мтв": "эм ти ви"}  # written as it sounds to some, as it is spelt to others
"""Abbreviation in Cyrillic to the names of its letters, as Latin letters are read."""

AS_THEY_SOUND_2 = _pairs("""
mtv м_ти_ви  мтв м_ти_ви  эмтиви м_ти_ви  эйчди эйч_ди  юэсби ю_эс_би  дивиди ди_ви_ди  двд ди_ви_ди
эфэм эф_эм  фм эф_эм
джипиэс джи_пи_эс  гпс джи_пи_эс  випиэн ви_пи_эн  впн ви_пи_эн  мп м_пи  эмпи м_пи  пиар пи_ар
бибиси би_би_си  ббс би_би_си  сиэнэн си_эн_эн  снн си_эн_эн  эйси эй_си  айпи ай_пи  эйай эй_ай
эсэмэс смс  эсэмэска смска  бээмвэ бмв  энбиэй нба  энхаэл нхл  аэсэмэр асмр  asmr асмр  vk вк  вэка вк
sir сэр
""")
"""Those of version 2, and abbreviations that Russian spells in one word either way."""

NAMES_2: dict[str, tuple[str, ...]] = {
    "тв": ("тиви", "тэвэ", "твэ"),
    "чат джи пи ти": ("chatgpt", "чатгпт", "чатджипити", "чат гпт", "чат джипити"),
    "вконтакте": ("vkontakte", "в контакте"),
    "телеграм": ("телеграмм",),
    "майкрософт": ("microsoft", "микрософт"),
    "джимейл": ("gmail", "гмейл", "джимайл"),
}
"""Names that version 2 has besides, or in more spellings."""

B_NOUNS = frozenset(
    "витамин витамина витамины гепатит гепатита группа группы класс план вариант пункт буква литера".split()
)
"""Nouns after which "б" is the letter B, and no particle."""
