# Installs the units with the paths of this installation, and a configuration where there is none yet:
# one that has been edited is nobody's to overwrite. Run by `cmake --install`, with SOURCE set.
if(CMAKE_INSTALL_PREFIX STREQUAL "/usr")
  set(configuration "/etc/agentd")
else()
  set(configuration "${CMAKE_INSTALL_PREFIX}/etc/agentd")
endif()

foreach(unit agentd.service agentd@.service)
  file(READ "${SOURCE}/systemd/${unit}" text)
  string(REPLACE "/usr/bin/agentd" "${CMAKE_INSTALL_PREFIX}/bin/agentd" text "${text}")
  string(REPLACE "/etc/agentd" "${configuration}" text "${text}")
  set(installed "${CMAKE_INSTALL_PREFIX}/lib/systemd/system/${unit}")
  message(STATUS "Installing: $ENV{DESTDIR}${installed}")
  file(WRITE "$ENV{DESTDIR}${installed}" "${text}")
endforeach()

if(EXISTS "$ENV{DESTDIR}${configuration}/agentd.json")
  message(STATUS "Left as it is: $ENV{DESTDIR}${configuration}/agentd.json")
else()
  file(INSTALL "${SOURCE}/configs/agentd.json" DESTINATION "${configuration}")
endif()
