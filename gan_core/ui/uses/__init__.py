"""The Uses page: studies are started, watched and read here, whatever their protocol."""
