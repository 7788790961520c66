#pragma once

namespace agentd::service {

/// Lets this process have as many open files as the system allows: every connection is one. Does
/// nothing where that fails.
void raise_open_files();

/// Lets all threads allocate from one heap, which grows and shrinks in large steps. Before any thread
/// is started.
void share_one_heap();

/// Opens what is closed of standard input, output and error, on nothing. Otherwise the next socket
/// would get such a number, and what is printed or logged would go to whoever is at its other end.
void fill_standard_streams();

}  // namespace agentd::service
