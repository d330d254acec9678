# SPDX-License-Identifier: BSD-2-Clause
"""What is explored by default, and which planted bugs have to be found there.

README.md of the scenarios says how many schedules each bug takes; here stand at least ten times as
many. A clean scenario costs about a second.
"""

load(":explore.bzl", "explore_test")

# Scenario: schedules without a failure. More than a million in all.
_CLEAN = {
    "ap_start": 50000,
    "call_all": 50000,
    "call_and_shootdown": 60000,
    "event_deregister": 60000,
    "fault_race": 20000,
    "kmem_traffic": 5000,
    "magazine_cache": 15000,
    "magazine_list": 100000,
    "magazine_stash": 10000,
    "map_transition": 15000,
    "map_waiters": 10000,
    "mutex_exclusion": 50000,
    "object_release": 30000,
    "page_magazines": 20000,
    "page_wait": 15000,
    "pageable_scan": 20000,
    "quarantine_drain_from_other_cpu": 5000,
    "quarantine_force": 5000,
    "quarantine_free": 5000,
    "quarantine_switch": 4000,
    "quarantine_twice": 4000,
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
    "tlb_eight": 10000,
    "tlb_generation": 50000,
    "tlb_join": 50000,
    "tlb_lazy": 50000,
    "tlb_lazy_eight": 15000,
    "tlb_left_out": 50000,
    "tlb_wrap": 40000,
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
    ("chain_not_walked_again", "magazine_stash"): 1000,
    ("dirty_page_taken", "pageable_scan"): 10000,
    ("drain_forgets_previous", "magazine_cache"): 1000,
    ("drain_forgets_previous", "page_magazines"): 1000,
    ("drain_forgets_stash", "magazine_stash"): 1000,
    ("drain_without_interrupt", "magazine_cache"): 1000,
    ("drain_without_interrupt", "page_magazines"): 1000,
    ("exchange_interrupted", "magazine_cache"): 1000,
    ("free_before_ack", "shootdown_free"): 1000,
    ("free_before_ack", "tlb_generation"): 1000,
    ("generation_is_a_number", "tlb_wrap"): 1000,
    ("generation_last_cpu_left_out", "quarantine_free"): 1000,
    ("generation_last_cpu_left_out", "tlb_eight"): 2000,
    ("generation_last_cpu_left_out", "tlb_generation"): 1000,
    ("generation_missing_fence", "tlb_wrap"): 40000,
    ("generation_read_after_flush", "tlb_join"): 70000,
    ("generation_read_after_flush", "tlb_wrap"): 40000,
    ("import_rest_lost", "magazine_cache"): 1000,
    ("is_short_ignored", "page_wait"): 1000,
    ("join_flush_before_online", "shootdown_join"): 50000,
    ("join_flush_before_online", "tlb_join"): 20000,
    ("join_refused_by_store", "ap_start"): 10000,
    ("kmem_tag_after_push", "kmem_traffic"): 1000,
    ("last_cpu_left_out", "shootdown_free"): 1000,
    ("lazy_leave_missing_fence", "tlb_lazy"): 4000,
    ("lazy_leave_missing_fence", "tlb_left_out"): 2000,
    ("lazy_leave_reads_early", "tlb_lazy"): 5000,
    ("lazy_leave_without_catch_up", "tlb_lazy"): 1000,
    ("lazy_leave_without_catch_up", "tlb_left_out"): 1000,
    ("lazy_not_marked", "tlb_left_out"): 1000,
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
    ("map_turn_kept", "map_waiters"): 2000,
    ("missing_fence", "shootdown_join"): 5000,
    ("nmi_uses_kernel_map", "tlb_lazy"): 2000,
    ("nmi_uses_kernel_map", "tlb_lazy_eight"): 2000,
    ("page_double_free_race", "object_release"): 1000,
    ("passed_read_late", "tlb_eight"): 2000,
    ("passed_read_late", "tlb_wrap"): 2000,
    ("publish_before_flush", "tlb_eight"): 12000,
    ("publish_before_flush", "tlb_wrap"): 20000,
    ("quarantine_early", "quarantine_free"): 1000,
    ("quarantine_early", "quarantine_switch"): 1000,
    ("quarantine_old_generation", "quarantine_drain_from_other_cpu"): 1000,
    ("quarantine_old_generation", "quarantine_free"): 1000,
    ("quarantine_two_runs", "quarantine_drain_from_other_cpu"): 1000,
    ("quarantine_unlocked_look", "quarantine_force"): 10000,
    ("quarantine_waiter_unseen", "quarantine_force"): 1000,
    ("restart_not_sent_back", "magazine_cache"): 1000,
    ("restart_not_sent_back", "page_magazines"): 2000,
    ("slab_joins_unclaimed", "zone_traffic"): 10000,
    ("sum_not_read_again", "magazine_list"): 1000,
    ("take_inbox_after_flush", "shootdown_two"): 5000,
    ("transition_not_waited", "map_transition"): 1000,
}

# Mistakes in small programs, which are searched to the end: (planted bug, program).
_LITMUS_PLANTS = [
    ("address_reused_early", "litmus_address_reuse"),
    ("batch_closed_late", "litmus_batch"),
    ("batch_released_twice", "litmus_batch_release"),
    ("catch_up_interrupted", "litmus_catch_up_nested"),
    ("claim_in_two_steps", "litmus_claim"),
    ("dekker_no_fence", "litmus_dekker"),
    ("dirty_flag_lost", "litmus_dirty_bit"),
    ("enter_set_after_flush", "litmus_target_set"),
    ("force_before_generation", "litmus_force"),
    ("force_taken_late", "litmus_force"),
    ("generation_after_flush", "litmus_generation"),
    ("generation_as_number", "litmus_generation_wrap"),
    ("generation_in_two_steps", "litmus_generation_begin"),
    ("generation_published_first", "litmus_generation"),
    ("inbox_taken_late", "litmus_inbox"),
    ("interrupt_before_leave", "litmus_lazy_interrupt"),
    ("join_entered_late", "litmus_join_generation"),
    ("join_read_after_flush", "litmus_join_generation"),
    ("join_seen_unset", "litmus_join_generation"),
    ("lazy_asked_without_fence", "litmus_lazy_leave"),
    ("lazy_entered_early", "litmus_lazy_enter"),
    ("lazy_left_after_flush", "litmus_lazy_nmi"),
    ("lazy_left_by_store", "litmus_lazy_leave"),
    ("lazy_left_unmarked", "litmus_lazy_mark"),
    ("lazy_mark_ignored", "litmus_lazy_mark"),
    ("lazy_marked_by_store", "litmus_lazy_mark"),
    ("lazy_no_catch_up", "litmus_lazy_leave"),
    ("lazy_read_before_active", "litmus_lazy_leave"),
    ("litmus_ack_first", "litmus_ack_order"),
    ("litmus_answer_first", "litmus_call_reuse"),
    ("litmus_free_first", "litmus_free_before_ack"),
    ("litmus_one_ack", "litmus_free_before_ack"),
    ("lowest_read_late", "litmus_lowest"),
    ("mask_before_pte_clear", "litmus_target_set"),
    ("mask_without_fence", "litmus_target_set"),
    ("message_flag_first", "litmus_message_passing"),
    ("move_unlocked_early", "litmus_moved_page"),
    ("nmi_uses_mapping", "litmus_lazy_nmi"),
    ("peterson_turn_first", "litmus_peterson"),
    ("quarantine_asks_one", "litmus_quarantine"),
    ("reads_in_any_order", "litmus_independent_reads"),
    ("reference_read_again", "litmus_last_reference"),
    ("sequence_only_after", "litmus_sequence_lock"),
    ("stack_without_tag", "litmus_tagged_stack"),
    ("state_in_two_steps", "litmus_free_once"),
    ("store_buffering_no_fence", "litmus_store_buffering"),
    ("table_flushed_first", "litmus_table_free"),
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
