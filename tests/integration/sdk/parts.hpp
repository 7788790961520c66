#pragma once

/// Plays the part that the arguments name, and ends the program; does nothing where they name none.
void play_part(int argc, char** argv);
