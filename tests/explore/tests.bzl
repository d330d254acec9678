# SPDX-License-Identifier: BSD-2-Clause
"""What is explored by default, and which planted bugs have to be found there.

README.md of the scenarios says how many schedules each bug takes; here stand at least ten times as
many. A clean scenario costs about a second.
"""

load(":explore.bzl", "explore_test")

# Scenario: schedules without a failure. More than a million in all.
_CLEAN = {
    "call_all": 50000,
    "call_and_shootdown": 60000,
    "event_deregister": 60000,
    "fault_race": 20000,
    "kmem_traffic": 5000,
    "magazine_cache": 15000,
    "magazine_list": 100000,
    "map_transition": 15000,
    "mutex_exclusion": 50000,
    "object_release": 30000,
    "page_magazines": 20000,
    "page_wait": 15000,
    "pageable_scan": 20000,
    "shootdown_again": 60000,
    "shootdown_free": 100000,
    "shootdown_irq_off": 50000,
    "shootdown_join": 100000,
    "shootdown_merged": 30000,
    "shootdown_protect": 100000,
    "shootdown_three": 50000,
    "shootdown_two": 50000,
    "sleep_wakeup": 40000,
    "spinlock_exclusion": 100000,
    "wakeup_one_each": 50000,
    "zone_limit": 10000,
    "zone_traffic": 10000,
}

# Mistakes in the code that ships: (planted bug, scenario): schedules within which it is found.
_PLANTS = {
    ("ack_before_flush", "map_transition"): 50000,
    ("ack_before_flush", "shootdown_free"): 5000,
    ("ack_before_flush", "shootdown_protect"): 5000,
    ("answer_before_call", "call_all"): 1000,
    ("dirty_page_taken", "pageable_scan"): 10000,
    ("drain_forgets_previous", "magazine_cache"): 1000,
    ("drain_forgets_previous", "page_magazines"): 1000,
    ("drain_without_interrupt", "magazine_cache"): 1000,
    ("drain_without_interrupt", "page_magazines"): 1000,
    ("exchange_interrupted", "magazine_cache"): 1000,
    ("free_before_ack", "kmem_traffic"): 5000,
    ("free_before_ack", "shootdown_free"): 1000,
    ("import_rest_lost", "magazine_cache"): 1000,
    ("is_short_ignored", "page_wait"): 1000,
    ("join_flush_before_online", "shootdown_join"): 50000,
    ("kmem_tag_after_push", "kmem_traffic"): 1000,
    ("last_cpu_left_out", "shootdown_free"): 1000,
    ("limit_counted_late", "zone_limit"): 5000,
    ("limit_waiter_late", "zone_limit"): 10000,
    ("lock_in_two_steps", "spinlock_exclusion"): 1000,
    ("lock_release_early", "mutex_exclusion"): 5000,
    ("lock_release_early", "sleep_wakeup"): 1000,
    ("lost_wakeup", "page_wait"): 30000,
    ("lost_wakeup", "sleep_wakeup"): 1000,
    ("lost_wakeup", "zone_limit"): 10000,
    ("magazine_aba", "magazine_list"): 2000,
    ("magazine_emptied_late", "magazine_cache"): 5000,
    ("magazine_emptied_late", "page_magazines"): 1000,
    ("magazine_linked_late", "magazine_list"): 1000,
    ("missing_fence", "shootdown_join"): 5000,
    ("page_double_free_race", "object_release"): 1000,
    ("restart_not_sent_back", "magazine_cache"): 1000,
    ("restart_not_sent_back", "page_magazines"): 2000,
    ("slab_joins_unclaimed", "zone_traffic"): 10000,
    ("sum_not_read_again", "magazine_list"): 1000,
    ("take_inbox_after_flush", "shootdown_two"): 5000,
    ("transition_not_waited", "map_transition"): 1000,
}

# Mistakes in small programs, which are searched to the end: (planted bug, program).
_LITMUS_PLANTS = [
    ("claim_in_two_steps", "litmus_claim"),
    ("dekker_no_fence", "litmus_dekker"),
    ("dirty_flag_lost", "litmus_dirty_bit"),
    ("enter_set_after_flush", "litmus_target_set"),
    ("generation_after_flush", "litmus_generation"),
    ("generation_published_first", "litmus_generation"),
    ("inbox_taken_late", "litmus_inbox"),
    ("lazy_left_after_flush", "litmus_lazy_nmi"),
    ("litmus_ack_first", "litmus_ack_order"),
    ("litmus_answer_first", "litmus_call_reuse"),
    ("mask_before_pte_clear", "litmus_target_set"),
    ("mask_without_fence", "litmus_target_set"),
    ("message_flag_first", "litmus_message_passing"),
    ("nmi_uses_mapping", "litmus_lazy_nmi"),
    ("peterson_turn_first", "litmus_peterson"),
    ("quarantine_asks_one", "litmus_quarantine"),
    ("reads_in_any_order", "litmus_independent_reads"),
    ("reference_read_again", "litmus_last_reference"),
    ("sequence_only_after", "litmus_sequence_lock"),
    ("stack_without_tag", "litmus_tagged_stack"),
    ("state_in_two_steps", "litmus_free_once"),
    ("store_buffering_no_fence", "litmus_store_buffering"),
    ("waiter_looks_by_load", "litmus_waiter_count"),
    ("waiter_looks_first", "litmus_waiter_count"),
    ("word_goes_back", "litmus_coherence"),
]

# What is found by chance and not only by a complete search: as tests of the strategies.
_LITMUS_BY_CHANCE = {
    ("generation_after_flush", "litmus_generation"): 200000,
    ("mask_before_pte_clear", "litmus_target_set"): 1000,
}

# Not run again under the address sanitizer.
_TAGS = ["script"]

def explore_tests():
    """All tests of scenarios and litmus programs."""
    for scenario, schedules in _CLEAN.items():
        explore_test(
            name = scenario + "_test",
            scenarios = [scenario],
            schedules = schedules,
            tags = _TAGS,
        )
    explore_test(
        name = "litmus_test",
        exhaustive = True,
        tags = _TAGS,
    )
    for (plant, scenario), schedules in _PLANTS.items() + _LITMUS_BY_CHANCE.items():
        explore_test(
            name = "%s_in_%s_test" % (plant, scenario),
            scenarios = [scenario],
            schedules = schedules,
            plant = plant,
            expect = "found",
            tags = _TAGS,
        )
    for plant, program in _LITMUS_PLANTS:
        explore_test(
            name = "%s_exhaustive_test" % plant,
            scenarios = [program],
            exhaustive = True,
            plant = plant,
            expect = "found",
            tags = _TAGS,
        )

    # For the thread sanitizer: each CPU a thread, and each CPU a fibre.
    explore_test(
        name = "threads_test",
        threads = 300,
        tags = _TAGS + ["threads"],
    )
    explore_test(
        name = "fibres_test",
        schedules = 1000,
        tags = _TAGS + ["threads"],
    )
