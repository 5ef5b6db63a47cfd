"""Checks of links, forms, approvers, decisions, policies, and what pages and emails show."""

from __future__ import annotations

from tests.mutations.mutation import Mutation

_LINKS = "src/mlops/approval/links.py"
_SIGNER = "src/mlops/links/signer.py"
_KEYS = "src/mlops/links/signing_keys.py"
_PAGE = "src/mlops/approval/pages/approval_page.py"
_HTTP = "src/mlops/pages/http.py"
_QUORUM = "src/mlops/approval/quorum.py"
_POLICY = "src/mlops/approval/policy/effective.py"
_UNIT = "tests/unit/approval/"
_UNIT_LINKS = "tests/unit/links/"
_FUNCTIONS = "tests/functions/"


def _weaker(name: str, file: str, old: str, new: str, *tests: str) -> Mutation:
    return Mutation(name, file, old, new, tests)


MUTATIONS = (
    _weaker(
        "links of any purpose are accepted",
        _SIGNER,
        'if payload.get("aud") != purpose:',
        "if False:",
        f"{_UNIT_LINKS}test_signer.py::test_a_link_is_for_one_purpose",
    ),
    _weaker(
        "signatures are not verified",
        _SIGNER,
        "if not self.keys.verify(body, signature):",
        "if False:",
        f"{_FUNCTIONS}test_approval_attacks.py::test_a_token_under_another_key_is_refused",
    ),
    _weaker(
        "the form of a page works for every purpose",
        _SIGNER,
        r"nonce\n{link.purpose}\n",
        r"nonce\n",
        f"{_UNIT_LINKS}test_signer.py::test_a_link_is_for_one_purpose",
    ),
    _weaker(
        "a link to start a training again never ends",
        "src/mlops/intake/failures/retry_page.py",
        "check_expiry(link, self.now()",
        "None and check_expiry(link, self.now()",
        f"{_FUNCTIONS}test_retry_training.py::test_an_expired_link_says_so_and_how_to_train_again",
    ),
    _weaker(
        "a link to predictions never ends",
        "src/mlops/use_cases/results/page.py",
        "check_expiry(link, self.now()",
        "None and check_expiry(link, self.now()",
        f"{_FUNCTIONS}test_show_result.py::test_an_expired_link_says_so_and_what_to_do",
    ),
    _weaker(
        "a link to a drift alert never ends",
        "src/mlops/use_cases/drift/alert_page.py",
        "check_expiry(link, self.now()",
        "None and check_expiry(link, self.now()",
        f"{_FUNCTIONS}test_answer_alert.py::test_an_expired_link_and_a_removed_report_say_so",
    ),
    _weaker(
        "the link of a former approver answers a drift alert",
        "src/mlops/use_cases/drift/alert_links.py",
        "if hmac.compare_digest(approver_key(approver), link.holder):",
        "if True:",
        f"{_FUNCTIONS}test_answer_alert.py"
        "::test_the_link_of_someone_who_is_no_approver_any_more_opens_nothing",
    ),
    _weaker(
        "a drift alert is answered without the nonce of its page",
        "src/mlops/use_cases/drift/alert_page.py",
        'self.signer.check_nonce(form.get("nonce", ""), opened.link, now=self.now())',
        "pass",
        f"{_FUNCTIONS}test_answer_alert.py::test_a_nonce_of_another_link_or_of_yesterday_changes_nothing",
    ),
    _weaker(
        "a retraining is requested without the nonce of its page",
        "src/mlops/intake/retraining/page.py",
        'self.signer.check_nonce(form.get("nonce", ""), link, now=self.now())',
        "pass",
        f"{_FUNCTIONS}test_decide_retraining.py::test_a_form_of_another_link_or_without_a_nonce_starts_nothing",
    ),
    _weaker(
        "a link to a proposed retraining never ends",
        "src/mlops/intake/retraining/page.py",
        "check_expiry(link, self.now()",
        "None and check_expiry(link, self.now()",
        f"{_FUNCTIONS}test_decide_retraining.py::test_an_expired_link_says_how_to_train_again",
    ),
    _weaker(
        "links from the future are accepted",
        _SIGNER,
        'if payload["iat"] > now.timestamp() + CLOCK_SKEW_SECONDS:',
        "if False:",
        f"{_FUNCTIONS}test_approval_vectors.py::test_v11_a_link_from_the_future_is_refused",
    ),
    _weaker(
        "links are not bound to artifact and execution",
        _LINKS,
        "(record.id_hash, record.group, record.version, _binding(record))",
        "(record.id_hash, record.group, record.version, link.binding)",
        f"{_UNIT}test_links.py::test_a_link_works_for_one_artifact_execution_version_and_approver",
    ),
    _weaker(
        "a form works for every approver of a request",
        _SIGNER,
        r"{link.subject_hash}\n{link.holder}\n{issued_at}",
        r"{link.subject_hash}\n{issued_at}",
        f"{_FUNCTIONS}test_approval_attacks.py::test_a_nonce_of_another_approvers_page_is_refused",
    ),
    _weaker(
        "a form works for ever",
        _SIGNER,
        "if not -CLOCK_SKEW_SECONDS <= age_seconds <= NONCE_LIFETIME_SECONDS:",
        "if False:",
        f"{_FUNCTIONS}test_approval_attacks.py::test_a_nonce_from_the_future_or_the_distant_past_is_refused",
    ),
    _weaker(
        "a decision needs no form of the page",
        _PAGE,
        '        self.signer.check_nonce(form.get("nonce", ""), opened.link, now=self.service.now())\n',
        "",
        f"{_FUNCTIONS}test_decide_approval.py::test_a_form_without_a_nonce_of_the_page_is_refused",
    ),
    _weaker(
        "the model card may run scripts of its own",
        _PAGE,
        "\"frame-ancestors 'none'; sandbox\"",
        "\"frame-ancestors 'none'\"",
        f"{_FUNCTIONS}test_approval_evidence.py::test_the_card_is_behind_the_same_link",
    ),
    _weaker(
        "other sites may send the form",
        _HTTP,
        "if _is_cross_site(http_request.headers):",
        "if False:",
        f"{_FUNCTIONS}test_decide_approval.py::test_only_our_own_page_may_send_the_form",
    ),
    _weaker(
        "pages may be framed",
        _HTTP,
        "\"frame-ancestors 'none'\"",
        '""',
        f"{_FUNCTIONS}test_approval_vectors.py::test_v23_no_site_may_frame_the_page",
    ),
    _weaker(
        "a HEAD or GET decides",
        _PAGE,
        '{"GET": self._show, "HEAD": self._show, "POST": self._decide}',
        '{"GET": self._show, "HEAD": self._show, "PUT": self._decide, "POST": self._decide}',
        f"{_FUNCTIONS}test_decide_approval.py::test_other_methods_are_not_possible",
    ),
    _weaker(
        "the version need not be typed",
        "src/mlops/approval/pages/form_problems.py",
        'if form.get("version", "").strip() != version:',
        "if False:",
        f"{_FUNCTIONS}test_approval_attacks.py::test_a_version_that_only_looks_right_is_not_typed_right",
    ),
    _weaker(
        "requests are written over by any revision",
        "src/mlops/approval/store.py",
        'is_next = OneOf("revision", (record.revision - 1,)) if record.revision > 1 else Absent()',
        "is_next = None",
        f"{_UNIT}test_store.py::test_of_two_writers_of_a_revision_the_second_one_is_refused",
    ),
    _weaker(
        "answers count after the time to decide",
        "src/mlops/approval/decisions.py",
        "if request.is_over or self._is_late(request):",
        "if False:",
        f"{_FUNCTIONS}test_approval_vectors.py::test_v27_a_late_click_gets_a_friendly_page",
    ),
    _weaker(
        "task tokens are encrypted without a context",
        "src/mlops/approval/decisions.py",
        'return {"approval": request.id_hash, "group": request.group, "version": request.version}',
        "return {}",
        f"{_FUNCTIONS}test_request_approval.py::test_a_task_token_is_decrypted_for_its_own_request_only",
    ),
    _weaker(
        "the uploader approves alone",
        _QUORUM,
        "return 1 if is_alone else missing",
        "return missing",
        f"{_UNIT}test_quorum.py::test_the_uploaders_yes_counts_only_together_with_anothers",
    ),
    _weaker(
        "one approval is always enough",
        _QUORUM,
        "max(request.required_approvals - len(approvals), 0)",
        "max(1 - len(approvals), 0)",
        f"{_FUNCTIONS}test_decide_approval.py::test_two_of_three_approvers_are_enough_when_two_are_required",
    ),
    _weaker(
        "an approver answers twice",
        _QUORUM,
        "return any(is_same_person(answer.approver, approver) for answer in request.answers)",
        "return False",
        f"{_FUNCTIONS}test_approval_attacks.py::test_the_second_approver_sees_whose_yes_is_in",
    ),
    _weaker(
        "automatic approval needs no parameter of the stack",
        _POLICY,
        "may_be_automatic = stack.allows_automatic and record.automatic and required == 1",
        "may_be_automatic = record.automatic and required == 1",
        f"{_UNIT}test_policy.py::test_automatic_needs_the_stack_the_record_and_the_settings",
    ),
    _weaker(
        "model.toml lowers the number of approvals",
        _POLICY,
        "required = max(minimum_approvals(stack, record), settings.approval.required_approvals)",
        "required = settings.approval.required_approvals",
        f"{_UNIT}test_policy.py::test_the_most_approvals_of_all_three_are_required",
    ),
    _weaker(
        "everyone of the stack approves in every group",
        _POLICY,
        "if not record.approvers:",
        "if True:",
        f"{_UNIT}test_policy.py::test_a_record_restricts_the_approvers_whatever_the_case_of_letters",
    ),
    _weaker(
        "a gate below the floor is accepted",
        _POLICY,
        "if stated is not None and minimum is not None and stated < minimum:",
        "if False:",
        f"{_UNIT}test_policy.py::test_a_gate_rule_below_the_floor_is_refused_by_name",
    ),
    _weaker(
        "another approval promotes a version",
        "src/mlops/registry/promotion.py",
        'approval.approval_id_hash != (model.approval_request or "")',
        "False",
        f"{_FUNCTIONS}test_promote_model.py::test_the_approval_of_something_else_does_not_count",
    ),
    _weaker(
        "other bytes than the approved ones are promoted",
        "src/mlops/registry/promotion.py",
        "if current != model.artifact:",
        "if False:",
        f"{_FUNCTIONS}test_promote_model.py::test_other_bytes_than_the_registered_are_not_promoted",
    ),
    _weaker(
        "keys older than the previous one verify",
        _KEYS,
        'entries = [document.get("current"), document.get("previous")]',
        "entries = list(document.values())",
        f"{_UNIT_LINKS}test_signing_keys.py::test_a_secret_has_two_keys_at_most",
    ),
    _weaker(
        "pages do not escape text",
        "src/mlops/pages/rendering.py",
        "autoescape=True",
        "autoescape=False",
        f"{_FUNCTIONS}test_approval_vectors.py::test_v25_what_a_file_or_a_person_wrote_is_escaped",
    ),
    _weaker(
        "the list of answers does not escape names",
        "src/mlops/pages/templates/approval.html.jinja",
        "<li>{{ who }},",
        "<li>{{ who|safe }},",
        f"{_FUNCTIONS}test_approval_vectors.py::test_v25_what_an_approver_wrote_is_escaped_among_the_answers",
    ),
    _weaker(
        "a reason may show nothing",
        "src/mlops/registry/tags.py",
        'return "a reason is needed, in visible characters"',
        'return ""',
        "tests/unit/models/test_reasons.py::test_a_reason_that_shows_nothing_is_empty",
    ),
    _weaker(
        "a reason may turn text around",
        "src/mlops/registry/tags.py",
        "return is_control or character in _TURNS_TEXT_AROUND",
        "return is_control",
        f"{_FUNCTIONS}test_approval_disguises.py::test_a_reason_that_would_be_shown_otherwise_than_it_is_recorded_is_refused",
    ),
    _weaker(
        "subjects of emails may break the line",
        "src/mlops/infrastructure/aws/sns.py",
        'printable = "".join(character if " " <= character <= "~" else "?" for character in text).strip()',
        "printable = text",
        "tests/unit/infrastructure/test_emails.py::test_a_subject_is_ascii_in_one_line_of_at_most_100_characters",
    ),
)
