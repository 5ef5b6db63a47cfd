"""Archives, stored models, row keys, copies of uploads, settings, and cells that run as formulas."""

from __future__ import annotations

from tests.mutations.mutation import Mutation

_ARCHIVE = "src/mlops/pipelines/artifacts/archive.py"
_STORED = "src/mlops/pipelines/artifacts/artifacts.py"
_FORMULAS = "src/mlops/pages/spreadsheet.py"
_TESTS = "tests/unit/pipelines/test_artifacts.py"
_HOSTILE = f"{_TESTS}::test_a_hostile_archive_is_refused_and_writes_nothing"
_FORMULA_TEST = (
    "tests/unit/pages/test_spreadsheet.py::test_a_text_that_a_spreadsheet_would_run_gets_an_apostrophe"
)

MUTATIONS = (
    Mutation(
        "archives write outside of their folder",
        _ARCHIVE,
        'if relative.is_absolute() or ".." in relative.parts or',
        "if",
        (_HOSTILE,),
    ),
    Mutation(
        "archives hold links and devices",
        _ARCHIVE,
        "if member.issparse() or not (member.isreg() or member.isdir()):",
        "if False:",
        (_HOSTILE,),
    ),
    Mutation("archives hold a file twice", _ARCHIVE, "if folded in seen:", "if False:", (_HOSTILE,)),
    Mutation(
        "archives expand without a limit of the ratio",
        _ARCHIVE,
        "if position > self._limit_bytes:",
        "if False:",
        (f"{_TESTS}::test_an_archive_of_too_many_zeros_is_refused_where_it_expands",),
    ),
    Mutation(
        "archives unpack any number of bytes and files",
        _ARCHIVE,
        "if unpacked_bytes > max_bytes or len(seen) > MAX_MEMBERS:",
        "if False:",
        (_HOSTILE, f"{_TESTS}::test_an_archive_that_unpacks_to_too_much_is_refused_before_it_is_read"),
    ),
    Mutation(
        "damaged archives raise errors of other libraries",
        _ARCHIVE,
        "except Exception as error:  # whatever",
        "except ValueError as error:  # whatever",
        (f"{_TESTS}::test_a_damaged_archive_is_refused",),
    ),
    Mutation(
        "files of a model are not compared with their digests",
        _STORED,
        "if sha256_of(path) != digest:",
        "if False:",
        (f"{_TESTS}::test_a_flipped_bit_is_refused",),
    ),
    Mutation(
        "a manifest names files outside of the model",
        _STORED,
        "if name not in _ALL_FILES or path.is_symlink() or not path.is_file():",
        "if not path.is_file():",
        (f"{_TESTS}::test_a_manifest_cannot_point_outside_the_directory",),
    ),
    Mutation(
        "stored models may hold any type",
        "src/mlops/pipelines/artifacts/stored_types.py",
        "trusted=[*trusted, *OWN_TYPES]",
        "trusted=skops.io.get_untrusted_types(data=content)",
        (f"{_TESTS}::test_a_skops_file_that_asks_for_another_type_is_refused",),
    ),
    Mutation(
        "compiled models may hold pickles",
        "src/mlops/pipelines/compiled/storage.py",
        "np.load(file, allow_pickle=False) as stored:",
        "np.load(file, allow_pickle=True) as stored:",
        (f"{_TESTS}::test_a_pickle_among_the_arrays_of_a_compiled_model_never_runs",),
    ),
    Mutation(
        "a job takes any bytes for its champion",
        "training/train.py",
        "if digest is not None and sha256_of(archives[0]) != digest:",
        "if False:",
        ("tests/unit/pipelines/test_training_entry.py::test_a_champion_of_other_bytes_fails_the_job",),
    ),
    Mutation(
        "row keys are digests without a key",
        "src/mlops/pipelines/artifacts/row_keys.py",
        "hash_array(rows, hash_key=_siphash_key(key), categorize=False)",
        "hash_array(rows, categorize=False)",
        (
            "tests/unit/pipelines/test_row_keys.py::"
            "test_a_digest_says_nothing_about_a_known_id_without_the_key",
        ),
    ),
    Mutation(
        "other users read the row key",
        "src/mlops/infrastructure/row_key.py",
        "0o600",
        "0o644",
        (
            "tests/unit/pipelines/test_row_keys.py::test_the_key_of_a_user_is_made_once_and_only_the_user_reads_it",
        ),
    ),
    Mutation(
        "copies take the tags of uploads with them",
        "src/mlops/infrastructure/aws/s3.py",
        '{"TaggingDirective": "REPLACE"}',
        '{"TaggingDirective": "COPY"}',
        ("tests/contract/test_object_stores.py::test_a_tagged_object_is_copied_without_touching_tags",),
    ),
    Mutation(
        "deleting a version deletes the newest",
        "src/mlops/infrastructure/aws/s3.py",
        "self._s3.delete_object(**_address(ref))",
        "self._s3.delete_object(Bucket=ref.bucket, Key=ref.key)",
        ("tests/contract/test_object_stores.py::test_deleting_a_version_leaves_the_newer_one",),
    ),
    Mutation(
        "settings may be infinite",
        "src/mlops/models/settings/document.py",
        "case float() if not math.isfinite(value):",
        "case float() if value != value:",
        (
            "tests/unit/models/test_settings_limits.py::"
            "test_a_setting_that_cannot_work_is_refused_in_a_short_sentence",
        ),
    ),
    Mutation(
        "formulas are not escaped",
        _FORMULAS,
        "if is_formula(text) else text",
        "if False else text",
        (_FORMULA_TEST,),
    ),
    Mutation(
        "formulas of full width are not escaped",
        _FORMULAS,
        r"=+-@\t\r\uff1d\uff0b\uff0d\uff20",
        r"=+-@\t\r",
        (_FORMULA_TEST,),
    ),
)
