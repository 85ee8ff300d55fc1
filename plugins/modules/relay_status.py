#!/usr/bin/python
# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: relay_status
short_description: Gather information about the status of a relay host
description:
  - Reads the mail queue with the reason of each delay, the last message and the daily quota of each mailbox, the expiry of the access
    token and of the certificates, the state of the services, and the failed health checks of a relay host.
  - Runs on the relay host as root. The command C(mailops-relay status) prints the same information on the host.
  - The summary at the end of a run lists each relay host that this module has read, with its problems.
options:
  required:
    description: Whether the task fails if the relay host has a problem of severity critical or high.
    type: bool
    default: false
author:
  - mailops.m365 developers (@mailops)
version_added: 0.1.0
extends_documentation_fragment:
  - mailops.m365.attributes.reading
"""

EXAMPLES = r"""
---
- name: Read the status of the relay hosts
  mailops.m365.relay_status:
  become: true

- name: Fail if a relay host has a critical or high problem
  mailops.m365.relay_status:
    required: true
  become: true

- name: Read the status of a relay host for its queue
  mailops.m365.relay_status:
  become: true
  register: status

- name: Report the number of queued messages
  ansible.builtin.debug:
    msg: "{{ status.relay.queue.messages }} messages are queued"
"""

RETURN = r"""
---
relay:
  description: The status of the relay host. Times are Unix times in seconds; null means that the event has not occurred.
  returned: success
  type: dict
  contains:
    hostname:
      description: The host name of the relay host.
      type: str
    upstream:
      description: The type of the upstream server, the value of the variable C(relay_upstream).
      type: str
      sample: oauth
    read_at:
      description: When the status was read.
      type: float
    queue:
      description:
        - The queue of Postfix with the keys C(messages), C(held), C(bytes), C(oldest) (arrival time of the oldest message), C(error)
          (why the queue cannot be read), C(sending_seconds) (how long sending all messages takes at the pace, null where it is not known),
          C(empty_in) (the same, null where a message waits for something else than the pace) and C(reasons).
        - C(reasons) has one entry per mailbox and reason with the keys C(id), C(code), C(cause), C(remedy), C(transient),
          C(queue_policy), C(reply), C(mailbox), C(messages), C(held), C(bytes), C(oldest) and C(senders).
      type: dict
    mailboxes:
      description:
        - One entry per mailbox with the keys C(address), C(transport), C(senders), C(last_sent), C(last_refusal), C(recipients_24h),
          C(recipients_per_day), C(seconds_per_message), C(quota_resumes) and C(suspensions).
        - C(recipients_24h) counts towards the daily quota C(recipients_per_day). C(quota_resumes) is the time at which delivery
          resumes after a reached quota. C(suspensions) lists the senders that a circuit breaker suspends.
      type: list
      elements: dict
    token:
      description:
        - C(issued) and C(expires) of the access token, and C(failure), C(code) and C(failing_since) of its renewal. The token itself is
          never returned.
      type: dict
    certificates:
      description:
        - One entry per certificate, and per file that cannot be used, with the keys C(use), C(path), C(expires) (null where the file has
          no certificate) and C(failure) (why the file, a certificate or a key, cannot be used, else empty).
      type: list
      elements: dict
    services:
      description:
        - One entry per systemd unit (services, timers, paths) with the keys C(unit), C(state), C(result), C(restarts), C(enabled) (whether
          it starts after a reboot), C(oneshot) (a service that ends, so that it is usually inactive), C(active_since) (null where it is not
          active), C(last_signal) (to the watchdog of systemd; null where it has none), and C(severity) and C(effect) of the problem where
          it does not run.
        - C(state) is the ActiveState of systemd, or C(masked), C(missing), C(restarting) (in a restart loop), C(hanging) or C(unknown).
      type: list
      elements: dict
    counters:
      description: The counters of the delivery monitor since the relay host was installed.
      type: dict
    last_event:
      description: The time of the last event that the delivery monitor read from the system journal.
      type: float
    space:
      description:
        - One entry per directory that the relay writes with the keys C(path), C(free_bytes), C(required_bytes), C(free_files) (null where
          the file system has no limit), C(required_files) and C(effect) of less.
      type: list
      elements: dict
    limits:
      description:
        - Limits of connections that were reached, with the keys C(kind) (C(processes) of a listener, C(client), or
          C(unknown clients) of a port), C(name) and C(last).
      type: list
      elements: dict
    daemons:
      description:
        - Programs of Postfix that fail, with the keys C(program), C(label) (the listener or transport, empty for all), C(text) (why),
          C(since), C(last), C(count) and C(throttled) (whether it ended before it served a client).
      type: list
      elements: dict
    stalled:
      description:
        - Programs of Postfix that do not process their messages, with the keys C(program) (C(qmgr) or C(pickup)), C(directory) (of the
          queue, empty for all), C(since) and C(messages).
      type: list
      elements: dict
    banned:
      description: The addresses that fail2ban bans after failed authentication.
      type: list
      elements: str
    lost_bans:
      description: Those of C(banned) that nftables does not refuse, as after C(nft flush ruleset).
      type: list
      elements: str
    jail_running:
      description: Whether the jail of fail2ban runs; null where the relay has none, and where that is not known.
      type: bool
    upstream_check:
      description:
        - The last check whether the upstream server answers, with the keys C(server) (host and port), C(checked), C(contacted) (the last
          connection; where mail was sent within five minutes the server is contacted once an hour only), C(failure) (empty where it
          answers), C(failing_since), C(clock_offset) (seconds that the clock of the relay host is ahead of the time in the greeting of
          the server, null where that has none) and C(boot_time) (of the relay host, by its clock at the last answer).
        - Null before the first check.
      type: dict
    clock_synchronized:
      description: Whether the clock is synchronized by NTP; null where that is not known.
      type: bool
    problems:
      description:
        - The failed health checks, the most severe first, with the keys C(check) (its name in the page "What can go wrong on a relay
          host"), C(subject), C(severity), C(cause), C(remedy), C(code) and C(messages).
        - The severity is critical, high, medium, low or info.
      type: list
      elements: dict
cost:
  description: The number of HTTP requests and of retries, and the seconds spent waiting. This module sends no HTTP request.
  returned: always
  type: dict
  sample: {requests: 0, retries: 0, waited: 0.0}
failure:
  description: The parts of the error message as values. C(problems) lists all problems of the input.
  returned: failure
  type: dict
  sample: {}
"""

from ..module_utils._entry_points.host_module import run_host_module
from ..module_utils.resources import relay_status


def main() -> None:
    """The entry point as a module; meta/runtime.yml routes the name to the in-process action."""
    run_host_module(relay_status.RESOURCE)


if __name__ == "__main__":
    main()
