//! `phantomload bench perf` tells each figure beside what it is held against; what the figures are is PERFORMANCE.md's.

mod support;

use support::{json, phantomload, stderr};

#[test]
fn each_figure_stands_beside_one_of_the_same_run_and_the_exit_code_says_whether_what_is_asked_is_kept() {
    let output = phantomload(&["bench", "perf", "--quick", "--json"]);
    let told = json(&output);
    let (rows, curves) = (told["rows"].as_array().unwrap(), told["curves"].as_array().unwrap());
    for part in ["whole verification", "study", "window and estimator", "memory", "package", "start-up"] {
        assert!(rows.iter().any(|row| row["what"].as_str().unwrap().contains(part)), "{part}: {told:#}");
    }
    for row in rows {
        assert!(
            row["ratio"].as_f64().unwrap() > 0.0 && row["against"].as_str().unwrap().len() > 3,
            "{row:#}"
        );
    }
    assert!(curves.len() >= 6, "{told:#}");
    for curve in curves {
        assert!(curve["exponent"].is_number() && curve["points"].as_array().unwrap().len() >= 2, "{curve:#}");
    }
    // Of this build the figures say nothing; that all was kept, or not, is said by the exit code all the same.
    let kept = rows.iter().chain(curves).all(|told| told["kept"] == true);
    assert_eq!(output.status.code(), Some(i32::from(!kept)), "{}", stderr(&output));
    // Ten million edges in bounded memory is no question of the build.
    let memory = rows.iter().find(|row| row["what"].as_str().unwrap().contains("memory")).unwrap();
    assert_eq!(memory["kept"], true, "{memory:#}");
}
