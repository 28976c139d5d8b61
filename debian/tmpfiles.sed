# The images folder has its right from the maintainer script, in a way that libvirt's own scripts
# leave alone.
/^# Where images arrive/,/^a+/d
