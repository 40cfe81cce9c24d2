//! The words of the desk, from `assets/words/desk-{en,zh}.toml`.

use crate::screen::words::{Language, words};
use serde::Deserialize;
use std::sync::LazyLock;

/// The words of a language.
pub(super) fn of(language: Language) -> &'static Words {
    static CHINESE: LazyLock<Words> =
        LazyLock::new(|| read(include_str!("../../../assets/words/desk-zh.toml")));
    static ENGLISH: LazyLock<Words> =
        LazyLock::new(|| read(include_str!("../../../assets/words/desk-en.toml")));
    match language {
        Language::Chinese => &CHINESE,
        Language::English => &ENGLISH,
    }
}

fn read(text: &str) -> Words {
    toml::from_str(text).unwrap_or_else(|fault| panic!("the words in the program are whole: {fault}"))
}

words! {
    home: Home {
        desk, board, board_about, register, register_about, history, history_about, number, standards,
        standards_about, profiles, profiles_about, trail, trail_about, persons, persons_about, pre_check,
        pre_check_about,
    }
    board: BoardWords {
        simulated, reading, nobody, red, yellow, green, visits, withdrawn, failed, undecided, overdue, due, findings,
        energy_absent, energy_told,
    }
    energy: EnergyWords {
        title, months, days, running, went_back, no_date, told, not_asked, absent,
    }
    history: HistoryWords {
        reading, drift, estimate, compare, last_two, a_year, too_few, too_short, beyond, steady, not_within,
        reaches, between, later, next_point, next_meter, e_n, e_n_shared, different, changed, perhaps, before, after, change,
        not_both,
    }
    register: RegisterWords {
        search, all, looking, count, none, csv, xlsx, pick,
    }
    paper: PaperWords {
        title, reading, sign, issue, amend, withdraw, export, history, valid_until, budget, signed, entries,
        no_points, as_verifier, as_checker, as_approver, what_wrong, should_say, reason, draft, checked,
        issued, amended, withdrawn, compare, trail,
    }
    act: ActWords {
        who, nobody, pin, working, done, refused,
    }
    export: ExportWords {
        title, where_to, exports, looking, working, done, refused, pdf, package,
    }
    sheet: SheetWords {
        reading, empty, of,
    }
    persons: PersonWords {
        add, name, nobody, roles, pin, type_pin, type_again, differ, new_pin, disable, active, locked, disabled,
    }
    standards: StandardWords {
        import, about, looking, files, no_file,
    }
    profile: ProfileWords {
        read, secondary, own, unconfirmed, approved, not_approved, confirmed, house, all, only_unconfirmed, change,
        stays, clause, save_as, validity,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_languages_are_whole() {
        assert_ne!(of(Language::Chinese).home.desk, of(Language::English).home.desk);
        let texts = [
            include_str!("../../../assets/words/desk-zh.toml"),
            include_str!("../../../assets/words/desk-en.toml"),
        ];
        let [zh, en]: [toml::Table; 2] = texts.map(|text| text.parse().unwrap());
        for (group, keys) in &zh {
            for (key, word) in keys.as_table().unwrap() {
                let [zh, en] = [word, &en[group][key]].map(|word| word.as_str().unwrap());
                assert_eq!(zh.matches("{}").count(), en.matches("{}").count(), "{group}.{key}");
                let lacking = crate::screen::keyboard::unknown_letters(&format!("{zh}{en}"));
                assert!(lacking.is_empty(), "{group}.{key}: the font has no {lacking:?}");
            }
        }
    }
}
