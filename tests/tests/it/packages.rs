//! What is deployed is what `infra/package.sh` packs.

use std::collections::BTreeSet;

use barometer_tests::template;

#[test]
fn every_function_of_the_repository_is_deployed_and_no_other() {
    let folder = std::fs::read_dir(format!("{}/../functions", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let there: BTreeSet<String> =
        folder.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(template::functions().unwrap(), there);
}

#[test]
fn every_function_is_deployed_from_its_package() {
    for name in template::functions().unwrap() {
        assert_eq!(template::package(&name).unwrap(), Some(format!("../target/lambda/{name}.zip")));
    }
}
