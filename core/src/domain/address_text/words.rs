//! The words that say what a name in an address is the name of, with their abbreviations.

/// What a name is the name of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    /// A region, a district, a municipality: too often left out to be compared.
    Region,
    /// A city (город).
    City,
    /// Any smaller place: village, settlement.
    Village,
    /// A street, by its kind.
    Street(Street),
}

/// Kinds of streets that one town has side by side under one name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Street {
    /// улица
    Plain,
    /// переулок
    Lane,
    /// проспект
    Avenue,
    /// проезд
    Passage,
    /// `пр.`: проспект or проезд
    AvenueOrPassage,
    /// шоссе
    Highway,
    /// набережная
    Embankment,
    /// бульвар
    Boulevard,
    /// площадь
    Square,
    /// тупик
    DeadEnd,
    /// аллея
    Alley,
    /// линия
    Line,
    /// тракт
    Road,
    /// спуск, съезд, просека, дорога and others that are rare
    Other,
    /// микрорайон
    Neighbourhood,
    /// квартал
    Quarter,
    /// территория, товарищество
    Territory,
}

impl Street {
    /// Whether both may be one kind.
    pub(super) fn agrees(self, other: Self) -> bool {
        let passable = |one, two| one == Self::AvenueOrPassage && matches!(two, Self::Avenue | Self::Passage);
        self == other || passable(self, other) || passable(other, self)
    }

    /// Whether houses may be numbered along it, so that it names the house better than an area does.
    pub(super) const fn is_area(self) -> bool {
        matches!(self, Self::Neighbourhood | Self::Quarter | Self::Territory)
    }
}

/// What a folded word says of the name beside it. Words in full that often are names themselves (`Верхняя Набережная`) are
/// in [`weak_type`].
pub(super) fn strong_type(word: &str) -> Option<Type> {
    Some(match word {
        "обл"
        | "область"
        | "край"
        | "респ"
        | "республика"
        | "р-н"
        | "район"
        | "рн"
        | "ао"
        | "округ"
        | "го"
        | "мо"
        | "сельсовет"
        | "поселение" => Type::Region,
        "г" | "гор" | "город" => Type::City,
        "п" | "пос" | "поселок" | "пгт" | "рп" | "с" | "село" | "д" | "дер" | "деревня" | "ст-ца"
        | "станица" | "х" | "хутор" | "аул" => Type::Village,
        "ул" | "улица" => Type::Street(Street::Plain),
        "пер" | "переулок" => Type::Street(Street::Lane),
        "пр-кт" | "просп" | "проспект" | "пр-т" => Type::Street(Street::Avenue),
        "пр-д" | "проезд" => Type::Street(Street::Passage),
        "пр" => Type::Street(Street::AvenueOrPassage),
        "ш" | "шоссе" => Type::Street(Street::Highway),
        "наб" => Type::Street(Street::Embankment),
        "б-р" | "бул" | "бульв" => Type::Street(Street::Boulevard),
        "пл" => Type::Street(Street::Square),
        "туп" => Type::Street(Street::DeadEnd),
        "ал" => Type::Street(Street::Alley),
        "мкр" | "мкрн" | "мкр-н" | "микрорайон" | "м-н" => {
            Type::Street(Street::Neighbourhood)
        }
        "кв-л" => Type::Street(Street::Quarter),
        "тер" | "снт" | "днт" | "снп" => Type::Street(Street::Territory),
        _ => return None,
    })
}

/// What a word says where no [`strong_type`] stands in its segment.
pub(super) fn weak_type(word: &str) -> Option<Type> {
    Some(Type::Street(match word {
        "набережная" => Street::Embankment,
        "бульвар" => Street::Boulevard,
        "площадь" => Street::Square,
        "тупик" => Street::DeadEnd,
        "аллея" => Street::Alley,
        "линия" => Street::Line,
        "тракт" => Street::Road,
        "спуск" | "съезд" | "просека" | "дорога" | "проулок" | "взвоз" => {
            Street::Other
        }
        "квартал" => Street::Quarter,
        "территория" => Street::Territory,
        _ => return None,
    }))
}

/// The number that a word counts: `Третья Парковая` is `3-я Парковая`.
pub(super) fn ordinal(word: &str) -> Option<&'static str> {
    const STEMS: [(&str, &str); 10] = [
        ("перв", "1"),
        ("втор", "2"),
        ("трет", "3"),
        ("четверт", "4"),
        ("пят", "5"),
        ("шест", "6"),
        ("седьм", "7"),
        ("восьм", "8"),
        ("девят", "9"),
        ("десят", "10"),
    ];
    let ending =
        |stem| word.strip_prefix(stem).filter(|end| matches!(*end, "ая" | "ый" | "ой" | "ий" | "ья" | "ое"));
    STEMS.iter().find(|(stem, _)| ending(*stem).is_some()).map(|(_, number)| *number)
}

/// The endings of ordinals in digits: `3-я`, `1-й`, `2-ая`.
pub(super) fn is_ordinal_ending(word: &str) -> bool {
    matches!(word, "я" | "й" | "ая" | "ый" | "ой" | "ий" | "ья" | "го" | "е" | "ое")
}
