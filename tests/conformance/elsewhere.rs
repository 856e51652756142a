//! Lines of the contract that no running Footfall can be asked about from outside with one start: they need other
//! settings, several starts, or a look inside. Each names the test that keeps it.

/// Section, what the line says, and `file::test`.
pub const LINES: &[(&str, &str, &str)] = &[
    (
        "1",
        "everything is below the base path, links and redirects included",
        "query-api/tests/query/paging.rs::links_keep_all_other_parameters_sorted_by_name_below_the_base_path",
    ),
    (
        "1",
        "services that run apart answer methods and preflights alike",
        "tests/apart/services.rs::each_service_answers_its_own_paths_and_methods_alone",
    ),
    (
        "2",
        "times are shown in the configured zone, with its offset in summer and winter",
        "query-api/tests/query/lists.rs::times_are_told_in_the_configured_zone_in_summer_and_in_winter",
    ),
    (
        "2",
        "offsets of before standard time keep their seconds",
        "service/src/time_format.rs::a_time_is_shown_in_the_zone",
    ),
    (
        "3",
        "what was accepted is on the log, whatever the body",
        "ingest/tests/any_body.rs::any_body_is_a_clear_answer_and_what_was_accepted_is_on_the_log",
    ),
    (
        "3",
        "a body of 100 MB is refused, and the next request is served",
        "ingest/tests/requests.rs::a_body_of_100_mb_is_refused_and_the_next_request_is_served",
    ),
    (
        "4",
        "authentication, access, throttle, method: in this order",
        "tests/settings/limits.rs::authentication_comes_first_then_access_then_the_throttle_then_the_method",
    ),
    (
        "4",
        "an action that is switched off is told before the body is read",
        "ingest/tests/forms.rs::what_is_switched_off_is_told_in_the_order_of_the_checks",
    ),
    (
        "4",
        "503 and stored: no while the log is away",
        "tests/apart/outages.rs::while_kafka_is_away_ingest_answers_503_and_everything_recovers_by_itself",
    ),
    (
        "4",
        "503 while the read model is away; events are still taken",
        "tests/apart/outages.rs::while_postgresql_is_away_events_are_taken_and_reads_answer_503",
    ),
    (
        "4",
        "503 says how to narrow a question that took too long",
        "query-api/tests/filters/counts.rs::a_question_that_takes_too_long_says_how_to_ask_for_less",
    ),
    (
        "5",
        "scheme and host of links: forwarded headers from trusted proxies alone",
        "query-api/tests/query/paging.rs::links_have_the_scheme_and_host_of_the_request_and_forwarded_ones_from_trusted_proxies_alone",
    ),
    (
        "5",
        "a host that is none never gets into a link",
        "query-api/tests/query/details.rs::a_host_that_is_none_never_gets_into_a_link",
    ),
    (
        "5",
        "count=capped stops at 10,000 and says so; beyond offset 10,000 Link shows the cursor",
        "query-api/tests/filters/counts.rs::a_capped_count_says_so_and_a_deep_page_shows_the_way_on",
    ),
    (
        "6",
        "T_date is the calendar day of the configured zone",
        "query-api/tests/filters/times.rs::a_day_follows_the_configured_zone",
    ),
    (
        "6",
        "naive times that the zone's clocks skip or repeat are told",
        "query-api/tests/filters/times.rs::an_hour_that_the_clocks_skip_or_repeat_is_told_and_no_guess",
    ),
    (
        "7",
        "one budget for all resources, methods and the batch; 400 counts and 429 does not; root and report are free; Retry-After and its text",
        "tests/settings/limits.rs::one_budget_for_all_resources_and_methods_of_one_client",
    ),
    (
        "7",
        "the client is its name, else the right-most hop that is no trusted proxy, IPv6 by its /64",
        "tests/settings/limits.rs::a_resource_can_be_free_and_the_address_comes_from_trusted_hops_alone",
    ),
    (
        "7",
        "number/unit of second, minute, hour, day, or off",
        "service/src/throttle/rate.rs::a_rate_is_read_as_it_is_shown",
    ),
    (
        "7",
        "a burst of N, then the refill, and never more",
        "service/src/throttle/budgets.rs::in_any_minute_nobody_gets_more_than_the_burst_and_the_refill",
    ),
    (
        "7",
        "memory is bounded whatever the number of clients",
        "service/tests/throttle_memory.rs::a_million_client_addresses_take_less_than_40_megabytes_and_three_million_no_more",
    ),
    (
        "8",
        "reading raised to user and to staff: 401 and 403",
        "query-api/tests/query/access.rs::reading_can_be_raised_to_users_and_to_staff",
    ),
    ("8", "writing raised to staff", "ingest/tests/requests.rs::writing_can_be_for_staff_alone"),
    (
        "8",
        "beyond loopback, what is open is said at every start",
        "tests/settings/starting.rs::beyond_loopback_what_is_open_is_said_and_nothing_else",
    ),
    (
        "8",
        "the report: staff by default, an HTML page with 403 for others",
        "query-api/tests/query/access.rs::lists_are_open_to_all_and_the_report_to_staff",
    ),
    (
        "8",
        "the report for user and for anyone",
        "query-api/tests/query/access.rs::the_report_can_be_opened_to_users_and_to_anyone",
    ),
    (
        "8",
        "a misspelt value stops the service and opens nothing",
        "tests/settings/resources.rs::a_wrong_value_stops_each_service_and_is_told_with_its_name",
    ),
    (
        "8",
        "cookie: HttpOnly, SameSite=Lax, Secure behind TLS, 12 hours, renewed in use, ended by the sign-out",
        "tests/settings/people.rs::cookies_are_flagged_renewed_in_use_and_ended_by_the_sign_out",
    ),
    (
        "8",
        "a token or cookie that is changed, expired or of the other kind is refused",
        "query-api/tests/query/access.rs::a_cookie_is_good_while_it_is_untouched_unexpired_and_its_account_is_there",
    ),
    (
        "8",
        "an expired or wrong Bearer token is 401 on any path",
        "query-api/tests/query/access.rs::a_bearer_token_that_is_not_good_is_refused_on_any_path",
    ),
    (
        "8",
        "two keys are good while they are changed",
        "tests/settings/people.rs::two_keys_are_good_at_once_while_they_are_changed",
    ),
    (
        "8",
        "the sign-in form carries a CSRF token",
        "query-api/tests/query/sign_in.rs::a_form_that_is_not_ours_is_refused",
    ),
    (
        "8",
        "another site's page signs nobody out",
        "query-api/tests/query/sign_in.rs::another_sites_page_signs_nobody_out",
    ),
    (
        "8",
        "a cookie counts from this site and from named origins alone",
        "tests/settings/origins.rs::a_cookie_counts_from_this_site_and_from_named_origins_alone",
    ),
    (
        "8",
        "failed sign-ins are throttled by account and by address",
        "tests/settings/people.rs::attempts_that_fail_are_throttled_by_account_and_by_address",
    ),
    (
        "8",
        "an unknown name takes as long as a wrong password",
        "tests/settings/people.rs::an_unknown_name_takes_as_long_as_a_wrong_password",
    ),
    (
        "8",
        "pages have the headers of a careful site",
        "tests/settings/people.rs::pages_and_answers_have_the_headers_of_a_careful_site",
    ),
    (
        "9",
        "the numbers are those of the facts, in any zone",
        "query-api/tests/query/numbers.rs::the_numbers_are_those_of_the_facts_in_any_zone",
    ),
    (
        "9",
        "keys and items in the contract's order",
        "query-api/tests/query/report.rs::the_keys_of_the_report_come_in_the_contracts_order",
    ),
    (
        "9",
        "the page embeds the object that /report/data/ answers",
        "query-api/tests/query/report.rs::the_page_embeds_the_object_that_the_numbers_are",
    ),
    (
        "9",
        "the 100 most viewed URLs a day on the page, all of them in the numbers",
        "query-api/tests/query/report.rs::the_page_has_the_hundred_most_viewed_urls_of_a_day_and_says_how_many_more_there_are",
    ),
    (
        "9",
        "a mean below a minute or below zero is 0",
        "query-api/tests/query/report.rs::a_mean_duration_below_a_minute_or_below_zero_is_0",
    ),
    (
        "9",
        "a day without anything is a zero on the page and missing in the numbers",
        "query-api/tests/query/report.rs::a_day_without_anything_is_a_zero_on_the_page_and_missing_in_the_numbers",
    ),
    (
        "11",
        "ALLOW_CREATE, PARSERS, WRITE_ACCESS, THROTTLE, THROTTLE_BASE, THROTTLE_STAFF, ACCEPTED_AGE_DAYS, TIME_ZONE, BASE_PATH, for all and for one: up and ingest",
        "tests/settings/resources.rs::what_may_be_written_how_and_by_whom_is_set_for_all_or_for_one",
    ),
    (
        "11",
        "ALLOW_LIST, ALLOW_RETRIEVE, READ_ACCESS, REPORT_ACCESS, FILTERS, PAGE_SIZE_…, THROTTLE, for all and for one: up and query-api",
        "tests/settings/resources.rs::what_may_be_read_and_by_whom_is_set_for_all_or_for_one",
    ),
    (
        "11",
        "a wrong value stops each service and names its setting",
        "tests/settings/resources.rs::a_wrong_value_stops_each_service_and_is_told_with_its_name",
    ),
    (
        "11",
        "…_ORDERING_FIELDS and …_FIELDS",
        "query-api/tests/filters/settings.rs::orders_and_shown_fields_are_settings_of_one_resource",
    ),
    ("11", "…_SEARCH_FIELDS", "query-api/tests/filters/search.rs::the_searched_fields_are_a_setting"),
    (
        "11",
        "FILTERS off, and searching stays",
        "query-api/tests/filters/settings.rs::filters_can_be_switched_off_and_searching_stays",
    ),
    (
        "11",
        "DEDUPLICATION_DAYS: the window's edges",
        "projector/tests/exactly_once.rs::a_repetition_is_found_within_a_batch_across_batches_and_at_the_edges_of_the_window",
    ),
    ("11", "TIME_ZONE: another one asks for a rebuild", "tests/up/journeys.rs::another_time_zone_asks_for_a_rebuild"),
    (
        "11",
        "TRUSTED_PROXIES",
        "tests/settings/limits.rs::a_resource_can_be_free_and_the_address_comes_from_trusted_hops_alone",
    ),
    ("11", "ALLOWED_ORIGINS", "tests/settings/origins.rs::a_preflight_is_answered_alike_by_both_services"),
    (
        "11",
        "SECRET_KEY and SECRET_KEY_FILE; up makes one for its owner alone",
        "src/secret.rs::a_secret_is_made_once_and_is_for_its_owner_alone",
    ),
    (
        "11",
        "LISTEN, OPS_LISTEN: life, readiness and metrics",
        "tests/apart/services.rs::the_ops_port_tells_life_readiness_and_metrics",
    ),
    (
        "11",
        "DATABASE_URL, KAFKA_BROKERS, KAFKA_TOPIC: from the request to lists, details and report",
        "tests/apart/services.rs::an_event_goes_all_the_way_from_the_request_to_lists_details_and_report",
    ),
    (
        "11",
        "KAFKA_PROPERTIES",
        "tests/apart/services.rs::properties_are_passed_to_the_kafka_client_and_a_wrong_one_is_told",
    ),
    (
        "11",
        "ADMIN and ADMIN_ALLOW_{ADD,CHANGE,DELETE}",
        "query-api/tests/admin/permissions.rs::the_four_switches_switch_off",
    ),
    (
        "11",
        "ADMIN_{SITE_TITLE,SITE_HEADER,INDEX_TITLE,PAGE_SIZE}",
        "query-api/tests/admin/permissions.rs::the_names_are_those_of_the_settings",
    ),
    (
        "11",
        "DATA_DIR: what up keeps is found again, and a mistyped one refused",
        "tests/up/refusals.rs::a_command_on_a_mistyped_data_directory_is_refused_and_makes_nothing",
    ),
    (
        "11",
        "--help and config show every setting with its default and where it came from, secrets hidden",
        "tests/settings/starting.rs::config_shows_what_a_service_would_start_with",
    ),
    (
        "11",
        "a misspelt variable is told with the nearest name",
        "tests/settings/starting.rs::a_misspelt_variable_is_told_with_the_nearest_name_and_stops_nothing",
    ),
    (
        "12",
        "a client's time up to 5 minutes ahead, down to the accepted age, to the microsecond",
        "ingest/src/clock.rs::a_clients_time_counts_within_its_window",
    ),
    (
        "12",
        "every type of event is deduplicated by its event_id",
        "projector/tests/exactly_once.rs::every_type_of_event_is_deduplicated",
    ),
    ("12", "CORS and preflight", "tests/settings/origins.rs::a_preflight_is_answered_alike_by_both_services"),
    (
        "12",
        "the pixel records the page that shows it",
        "ingest/tests/forms.rs::the_pixel_records_the_page_that_shows_it",
    ),
    (
        "12",
        "a session ends under the name in the path",
        "ingest/tests/forms.rs::a_session_ends_under_the_name_in_the_path",
    ),
    (
        "12",
        "a cursor is refused when it was changed or made for something else",
        "query-api/tests/filters/cursors.rs::a_cursor_is_refused_when_it_was_changed_or_made_for_something_else",
    ),
    (
        "12",
        "a walk by cursors sees every old row exactly once while rows arrive",
        "query-api/tests/filters/cursors.rs::a_walk_sees_every_old_row_exactly_once_while_rows_arrive",
    ),
    (
        "12",
        "every order can be walked forth and back",
        "query-api/tests/filters/cursors.rs::every_order_can_be_walked_forth_and_back",
    ),
    (
        "12",
        "freshness in records and seconds",
        "query-api/tests/query/freshness.rs::the_status_tells_how_far_the_read_model_is_behind_in_records_and_seconds",
    ),
];
