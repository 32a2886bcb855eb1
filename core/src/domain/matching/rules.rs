//! The words in which a decision explains itself.

use crate::domain::words::words;

words! {
    /// Why no answer follows: a person must look.
    Reason {
        /// The house of the request cannot be told, so nothing follows from its absence in the registry.
        HouseUnknown = "house_unknown" "Не удалось однозначно определить дом",
        /// The request or the row names no premises, the other does.
        PremisesMissing = "premises_missing" "Помещение не указано в запросе или в реестре",
        /// Premises that are neither certainly one nor certainly two: a room and its flat, or spellings that may mean one.
        PremisesPartial = "premises_partial" "Помещение совпадает не полностью",
        /// The identifiers are equal and the address texts are not.
        AddressTextDiffers = "address_text_differs" "Адрес дома в реестре расходится с адресом в запросе",
        /// A workbook has several rows for one address.
        SeveralRows = "several_rows" "В реестре несколько строк по одному адресу",
        /// The dates of the decision or of the repayment leave the period or the day of the request in doubt.
        NotInPeriod = "not_in_period" "Даты решения или погашения не дают однозначного ответа",
        /// The request carries only the identifier of an object that suppliers cannot resolve.
        GisObjectOnly = "gis_object_only" "В запросе указан только объект ГИС ЖКХ, без дома",
        /// Another registry that answers for the place knows a debt, or is in doubt.
        OtherRegistry = "other_registry" "Другой действующий реестр знает долг или оставляет сомнение",
        /// A department's registry says «no debt» of a request that is not its own. The result stands, and is no answer.
        OtherDepartment = "other_department" "Запрос не этого подразделения: «долга нет» по его реестру не отвечают",
    }
}

words! {
    /// What the result rests on.
    Basis {
        /// Rows of that very place count.
        RowsCount = "rows_count" "По этому помещению есть действующее непогашенное решение",
        /// The registry has no row of the house.
        NoRowsOfHouse = "no_rows_of_house" "В реестре нет строк по этому дому",
        /// The registry has rows of the house, none of that place.
        NoRowsOfPremises = "no_rows_of_premises" "В реестре нет строк по этому помещению",
        /// All rows of that place were repaid before the request was sent.
        AllRepaid = "all_repaid" "Долг по этому помещению погашен до отправки запроса",
        /// A person must decide; the reasons say why.
        Doubt = "doubt" "Решение принимает сотрудник",
    }
}

words! {
    /// How the house of a row was recognised.
    HouseRule {
        /// By FIAS.
        Fias = "fias" "Дом совпал по коду ФИАС",
        /// By the GUID of the request, which is one of the row's.
        GisId = "gis_id" "Дом совпал по идентификатору ГИС ЖКХ",
        /// By that GUID, although the FIAS identifiers differ.
        Contradicted = "contradicted" "Идентификаторы дома противоречат друг другу",
    }
}

words! {
    /// How the premises of a row compare.
    PremisesRule {
        /// One place.
        Same = "same" "Помещение то же",
        /// Both name a house without premises.
        SameHouse = "same_house" "Дом без помещений тот же",
        /// A room of the flat, or the flat of the room.
        Room = "room" "Комната и её квартира",
        /// The request names no premises.
        MissingInRequest = "missing_in_request" "В запросе помещение не указано",
        /// The row names no premises.
        MissingInRegistry = "missing_in_registry" "В реестре помещение не указано",
        /// The text of the row or of the request could not be read.
        NotUnderstood = "not_understood" "Запись помещения не удалось прочитать",
        /// The texts may name one place.
        Unclear = "unclear" "Записи могут называть одно помещение",
    }
}

words! {
    /// How the address text of a row compares.
    AddressRule {
        /// Street and house number are the same.
        Agrees = "agrees" "Адрес дома совпал",
        /// They are not.
        Differs = "differs" "Адрес дома расходится",
        /// One of the texts is absent or could not be read; the identifiers decide.
        NotCompared = "not_compared" "Адрес дома не сравнивался",
    }
}

words! {
    /// What the dates of a row say.
    DatesRule {
        /// In force in the period, not repaid.
        InForce = "in_force" "Решение в силе, долг не погашен",
        /// The same, in force more than three years before the end of the period.
        InForceLongAgo = "in_force_long_ago" "Решение в силе более трёх лет, долг не погашен",
        /// Repaid before the request was sent, and nothing else stands in the row.
        RepaidBefore = "repaid_before" "Долг погашен до отправки запроса",
        /// Repaid on the day of the request or later, or nobody knows when the request was sent.
        RepaidLater = "repaid_later" "Долг погашен в день отправки запроса или позже",
        /// Repaid, and the row says more: other decisions may be open. Or repaid before the decision was in force.
        RepaidUnclear = "repaid_unclear" "Долг погашен, но это может быть не весь долг: есть дополнительная информация или дата раньше решения",
        /// In force after the end of the period.
        AfterPeriod = "after_period" "Решение вступило в силу после конца периода",
    }
}
