#pragma once

namespace agentd::service {

/// Lets this process have as many open files as the system allows: every connection is one. Does
/// nothing where that fails.
void raise_open_files();

}  // namespace agentd::service
