//! The words that say what a number numbers, with their abbreviations.

/// What a part of the text numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Kind {
    /// A house (дом), written although the house is known by its identifier.
    House,
    /// A building of a house (корпус).
    Building,
    /// A structure of a house (строение).
    Structure,
    /// A letter of the house, written before the flat (литера).
    HouseLitera,
    /// A section (секция).
    Section,
    /// An entrance (подъезд).
    Entrance,
    /// A floor (этаж).
    Floor,
    /// A block of a terraced house or of a dormitory (блок).
    Block,
    /// Premises (помещение).
    Premises,
    /// Premises where nobody lives (нежилое помещение).
    NonResidential,
    /// A suite (апартаменты).
    Suite,
    /// An office (офис).
    Office,
    /// A garage (гараж).
    Garage,
    /// A parking space (машино-место).
    ParkingSpace,
    /// A storeroom (кладовая).
    Storeroom,
    /// A flat (квартира).
    Flat,
    /// A room (комната).
    Room,
    /// A letter after the flat (литера): of the flat or of the house, nobody knows.
    Litera,
}

/// The order in which parts are written. Units keep the order of the text, because a flat in a block is not a block in a
/// flat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    /// Narrows the house down, names nothing that is let or owned.
    Surroundings(Kind),
    /// Names what is let or owned.
    Unit,
    /// A room.
    Room,
    /// A letter that follows.
    Letter,
}

impl Kind {
    /// What a folded word names.
    pub(super) fn of(word: &str) -> Option<Self> {
        Some(match word {
            "кв" | "квартира" | "квартиры" | "квартире" | "квартиру" | "кварт" | "квар" | "кв-ра"
            | "кв-а" | "кв-тира" => Self::Flat,
            "комн" | "комната" | "комнаты" | "комнате" | "комнату" | "ком" | "кмн" | "комн-та" | "ком-та" => {
                Self::Room
            }
            "пом" | "помещ" | "помещение" | "помещения" | "пом-е" | "пом-ие" => {
                Self::Premises
            }
            "блок" | "блока" | "бл" => Self::Block,
            "апарт" | "апартамент" | "апартаменты" | "апартаментов" | "апарт-т" => {
                Self::Suite
            }
            "офис" | "оф" => Self::Office,
            "гараж" | "гар" => Self::Garage,
            "машиноместо" | "машино-место" | "м-место" => Self::ParkingSpace,
            "кладовая" | "кладовка" | "кладов" => Self::Storeroom,
            "литера" | "литер" | "лит" | "литеры" => Self::Litera,
            "секция" | "секц" => Self::Section,
            "подъезд" | "под" | "подьезд" | "п-д" => Self::Entrance,
            "этаж" | "эт" => Self::Floor,
            "корпус" | "корп" => Self::Building,
            "строение" | "строен" | "стр" => Self::Structure,
            "дом" | "д" => Self::House,
            _ => return None,
        })
    }

    /// How it is written in the normal form; [`Kind::of`] reads it back.
    pub(super) const fn written(self) -> &'static str {
        match self {
            Self::House => "д.",
            Self::Building => "корп.",
            Self::Structure => "стр.",
            Self::HouseLitera | Self::Litera => "лит.",
            Self::Section => "секция",
            Self::Entrance => "подъезд",
            Self::Floor => "этаж",
            Self::Block => "блок",
            Self::Premises => "пом.",
            Self::NonResidential => "нежил. пом.",
            Self::Suite => "апарт.",
            Self::Office => "офис",
            Self::Garage => "гараж",
            Self::ParkingSpace => "машиноместо",
            Self::Storeroom => "кладовая",
            Self::Flat => "кв.",
            Self::Room => "комн.",
        }
    }

    /// Where it stands in the normal form.
    pub(super) const fn level(self) -> Level {
        match self {
            Self::House
            | Self::Building
            | Self::Structure
            | Self::HouseLitera
            | Self::Section
            | Self::Entrance
            | Self::Floor => Level::Surroundings(self),
            Self::Block
            | Self::Premises
            | Self::NonResidential
            | Self::Suite
            | Self::Office
            | Self::Garage
            | Self::ParkingSpace
            | Self::Storeroom
            | Self::Flat => Level::Unit,
            Self::Room => Level::Room,
            Self::Litera => Level::Letter,
        }
    }

    /// Whether it names what is let or owned.
    pub(super) fn is_unit(self) -> bool {
        self.level() == Level::Unit
    }

    /// Whether the number may stand before the word: `2 этаж`.
    pub(super) const fn may_follow_its_number(self) -> bool {
        matches!(self, Self::Floor | Self::Entrance | Self::Section)
    }
}
